"""Builds what we send: headers, bodies and outgoing items. Pure.

Bodies are UTF-8 like those of the phone's clients. Lone surrogates and NUL are never sent.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sessions_app.ilink.crypto import cipher_size
from sessions_app.ilink.errors import TextTooLongError

from .scalars import clean
from .values import (
    MAX_BOT_AGENT_BYTES,
    MAX_LOCAL_TOKENS,
    MAX_TEXT_BYTES,
    ItemKind,
    MessageType,
    UploadedFile,
    UploadRequest,
)

_APP_ID = "bot"
_BOT_TYPE = 3
_FINISHED = 2
_ENCRYPTED = 1
_TYPING, _NOT_TYPING = 1, 2
_VERSION = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?![0-9])", re.ASCII)
_PRINTABLE = re.compile(r"[\x20-\x7e]+", re.ASCII)

QRCODE_PATH = f"/ilink/bot/get_bot_qrcode?bot_type={_BOT_TYPE}"
QRCODE_STATUS_PATH = "/ilink/bot/get_qrcode_status"
UPDATES_PATH = "/ilink/bot/getupdates"
SEND_PATH = "/ilink/bot/sendmessage"
CONFIG_PATH = "/ilink/bot/getconfig"
TYPING_PATH = "/ilink/bot/sendtyping"
UPLOAD_URL_PATH = "/ilink/bot/getuploadurl"
NOTIFY_START_PATH = "/ilink/bot/msg/notifystart"
NOTIFY_STOP_PATH = "/ilink/bot/msg/notifystop"

_NUMBERS = {ItemKind.TEXT: 1, ItemKind.IMAGE: 2, ItemKind.FILE: 4, ItemKind.VIDEO: 5}


@dataclass(frozen=True)
class ClientIdentity:
    """How we identify ourselves: `app_version` "x.y.z", `bot_agent` "Name/x.y.z".

    `bot_agent` has at most 256 bytes. Raises ValueError for a version without three numbers below
    256 and for a non-ASCII agent.
    """

    app_version: str
    bot_agent: str

    def __post_init__(self) -> None:
        client_version_number(self.app_version)
        if not _PRINTABLE.fullmatch(self.bot_agent) or len(self.bot_agent) > MAX_BOT_AGENT_BYTES:
            raise ValueError("bot_agent must be printable ASCII of 1 to 256 bytes")


@dataclass(frozen=True, slots=True)
class OutgoingItem:
    """One item to send. Create it with text_item, image_item, video_item or file_item only."""

    kind: ItemKind
    content: Mapping[str, object]


def client_version_number(version: str) -> str:
    """The number for `iLink-App-ClientVersion`: "1.2.3" becomes "66051"."""
    match = _VERSION.match(version)
    parts = [int(part) for part in match.groups()] if match else []
    if not parts or max(parts) > 255:
        raise ValueError(f"{version!r} is not a version of three numbers below 256")
    return str(parts[0] << 16 | parts[1] << 8 | parts[2])


def uin_header(random_uint32: int) -> str:
    """The value of `X-WECHAT-UIN`: base64 of the number's decimal digits."""
    return base64.b64encode(str(random_uint32 & 0xFFFFFFFF).encode("ascii")).decode("ascii")


def get_headers(identity: ClientIdentity, token: str | None = None) -> dict[str, str]:
    """The headers of every request."""
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": identity.bot_agent,
        "iLink-App-Id": _APP_ID,
        "iLink-App-ClientVersion": client_version_number(identity.app_version),
    }
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return headers


def post_headers(identity: ClientIdentity, token: str | None = None) -> dict[str, str]:
    """The headers of every POST, except `X-WECHAT-UIN`, which is new for each request."""
    return {
        **get_headers(identity, token),
        "Content-Type": "application/json",
        "AuthorizationType": "ilink_bot_token",
    }


def body_of(identity: ClientIdentity, fields: Mapping[str, object]) -> bytes:
    """The body of a POST: the fields and `base_info`, which every body contains."""
    base_info = {"channel_version": identity.app_version, "bot_agent": identity.bot_agent}
    written = json.dumps(
        {**fields, "base_info": base_info}, ensure_ascii=False, separators=(",", ":")
    )
    return clean(written).encode("utf-8")


def qrcode_body(identity: ClientIdentity, local_tokens: Sequence[str]) -> bytes:
    """`local_tokens`: newest first. At most ten are sent."""
    return body_of(identity, {"local_token_list": list(local_tokens[:MAX_LOCAL_TOKENS])})


def updates_body(identity: ClientIdentity, cursor: str) -> bytes:
    return body_of(identity, {"get_updates_buf": cursor})


def send_body(
    identity: ClientIdentity,
    *,
    to_user_id: str,
    client_id: str,
    context_token: str,
    item: OutgoingItem,
) -> bytes:
    """One complete bot message with one item. `client_id` is unique per message."""
    message = {
        "from_user_id": "",
        "to_user_id": to_user_id,
        "client_id": client_id,
        "message_type": int(MessageType.BOT),
        "message_state": _FINISHED,
        "context_token": context_token,
        "item_list": [{"type": _NUMBERS[item.kind], f"{item.kind.value}_item": item.content}],
    }
    return body_of(identity, {"msg": message})


def config_body(identity: ClientIdentity, user_id: str, context_token: str | None) -> bytes:
    fields = {"ilink_user_id": user_id}
    if context_token:
        fields["context_token"] = context_token
    return body_of(identity, fields)


def typing_body(identity: ClientIdentity, user_id: str, ticket: str, on: bool) -> bytes:
    status = _TYPING if on else _NOT_TYPING
    return body_of(identity, {"ilink_user_id": user_id, "typing_ticket": ticket, "status": status})


def upload_url_body(identity: ClientIdentity, request: UploadRequest) -> bytes:
    fields = {
        "filekey": request.file_key,
        "media_type": int(request.kind),
        "to_user_id": request.to_user_id,
        "rawsize": request.size,
        "rawfilemd5": request.md5,
        "filesize": cipher_size(request.size),
        "aeskey": request.key.hex(),
        "no_need_thumb": True,
    }
    return body_of(identity, fields)


def text_item(text: str) -> OutgoingItem:
    """A text.

    Raises TextTooLongError beyond MAX_TEXT_BYTES of UTF-8, which WeChat refuses completely.
    """
    cleaned = clean(text)
    size_bytes = len(cleaned.encode("utf-8"))
    if size_bytes > MAX_TEXT_BYTES:
        raise TextTooLongError(size_bytes, MAX_TEXT_BYTES)
    return OutgoingItem(ItemKind.TEXT, {"text": cleaned})


def image_item(file: UploadedFile) -> OutgoingItem:
    return OutgoingItem(ItemKind.IMAGE, {"media": _media(file), "mid_size": cipher_size(file.size)})


def video_item(file: UploadedFile, *, play_length_s: int | None = None) -> OutgoingItem:
    content: dict[str, object] = {"media": _media(file), "video_size": cipher_size(file.size)}
    if play_length_s is not None:
        content["play_length"] = play_length_s
    return OutgoingItem(ItemKind.VIDEO, content)


def file_item(file: UploadedFile, *, file_name: str) -> OutgoingItem:
    """Any file, also sound: WeChat accepts outgoing voice messages but does not show them.

    Seen in live tests.
    """
    content = {"media": _media(file), "file_name": clean(file_name), "len": str(file.size)}
    return OutgoingItem(ItemKind.FILE, content)


def _media(file: UploadedFile) -> dict[str, object]:
    return {
        "encrypt_query_param": file.encrypt_query_param,
        "aes_key": base64.b64encode(file.key.hex().encode("ascii")).decode("ascii"),
        "encrypt_type": _ENCRYPTED,
    }
