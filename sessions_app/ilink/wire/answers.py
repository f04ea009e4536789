"""Parses every answer except getupdates. Pure.

The caller raises for a code other than 0. These functions raise if the answer lacks what the call
is for.
"""

from dataclasses import dataclass

from sessions_app.ilink.errors import GatewayError, UnreadableAnswerError

from .items import identifier
from .scalars import JsonObject, object_of, text_of
from .updates import read_object, verdict
from .values import LoginStatus, QRCode, QRStatus, SendReceipt, UploadTarget


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON object with its verdict; `code` is 0 for success.

    Only this package reads the fields.
    """

    code: int
    error_message: str
    fields: JsonObject


def parse_answer(body: bytes) -> Answer:
    """Parse any answer. Raises UnreadableAnswerError if the body is not a JSON object."""
    return read_object(body, _answer)


def answer_to(http_status: int, body: bytes) -> Answer:
    """The answer of a 2xx, or of a 4xx that has a code. Otherwise raises GatewayError."""
    if 200 <= http_status < 300:
        return parse_answer(body)
    try:
        answer = parse_answer(body)
    except UnreadableAnswerError:
        raise GatewayError(http_status) from None
    if answer.code == 0 or not 400 <= http_status < 500:
        raise GatewayError(http_status)
    return answer


def qrcode_of(answer: Answer) -> QRCode:
    """The QR code. Raises UnreadableAnswerError if its handle or the text to draw is missing."""
    handle = text_of(answer.fields.get("qrcode"))
    image_content = text_of(answer.fields.get("qrcode_img_content"))
    if not handle or not image_content:
        raise UnreadableAnswerError("WeChat's answer contains no QR code.")
    return QRCode(qrcode=handle, image_content=image_content)


def qr_status_of(answer: Answer) -> QRStatus:
    """The state of a login. An unknown word becomes UNKNOWN."""
    get = answer.fields.get
    try:
        status = LoginStatus(text_of(get("status")).strip().lower())
    except ValueError:
        status = LoginStatus.UNKNOWN
    return QRStatus(
        status=status,
        redirect_host=text_of(get("redirect_host")).strip(),
        bot_token=text_of(get("bot_token")).strip(),
        bot_id=text_of(get("ilink_bot_id")).strip(),
        base_url=text_of(get("baseurl")).strip(),
        user_id=text_of(get("ilink_user_id")).strip(),
    )


def receipt_of(answer: Answer) -> SendReceipt:
    """WeChat's message id; "", 0 and "0" mean none.

    Usually at top level, also accepted one level deeper.
    """
    fields = answer.fields
    places = (fields, object_of(fields.get("msg")), object_of(fields.get("data")))
    found = (identifier(place.get("message_id")) for place in places)
    return SendReceipt(message_id=next((known for known in found if known), None))


def typing_ticket_of(answer: Answer) -> str:
    """The ticket of getconfig, or "" if WeChat sent none."""
    return text_of(answer.fields.get("typing_ticket"))


def upload_target_of(answer: Answer) -> UploadTarget:
    """Where to upload. Raises UnreadableAnswerError if the answer does not say it."""
    param = text_of(answer.fields.get("upload_param"))
    full_url = text_of(answer.fields.get("upload_full_url")).strip()
    if not param and not full_url:
        raise UnreadableAnswerError("WeChat's answer does not say where to upload.")
    return UploadTarget(upload_param=param, upload_full_url=full_url)


def _answer(fields: JsonObject) -> Answer:
    code, error_message = verdict(fields)
    return Answer(code=code, error_message=error_message, fields=fields)
