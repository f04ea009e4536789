"""Parses the answer of getupdates. Pure.

A defect in one message must never lose another one: what cannot be parsed is kept raw.
"""

import contextlib
from collections.abc import Callable
from typing import TypeVar

from sessions_app.ilink.errors import SESSION_EXPIRED, UnreadableAnswerError

from .items import identifier, parse_items
from .scalars import (
    MAX_INT32,
    JsonObject,
    decoded,
    dump,
    flattened,
    load_body,
    number_between,
    text_of,
    whole_number,
)
from .values import IncomingMessage, MessageType, Updates

Built = TypeVar("Built")

_YEAR_2000_MS = 946_684_800_000
_YEAR_2100_MS = 4_102_444_800_000
_LONGEST_POLL_MS = 600_000
_UNREADABLE_CODE = -1


def parse_updates(body: bytes) -> Updates:
    """Parse one answer. Raises UnreadableAnswerError only if the body is not a JSON object.

    A JSON object never raises, whatever it contains.
    """
    return read_object(body, lambda fields: _updates(fields, body))


def read_object(body: bytes, build: Callable[[JsonObject], Built]) -> Built:
    """Apply `build` to a body's JSON object. The object is flattened if it is nested too deep."""
    with contextlib.suppress(RecursionError):
        return build(_load_object(body))
    try:
        return build(_load_object(flattened(decoded(body)).encode("utf-8", "surrogatepass")))
    except RecursionError:
        raise UnreadableAnswerError("WeChat's answer is nested too deep.") from None


def _load_object(body: bytes) -> JsonObject:
    try:
        value = load_body(body)
    except ValueError:
        # Suppress the cause, which contains the text of the whole answer.
        raise UnreadableAnswerError("WeChat's answer is not JSON.") from None
    if not isinstance(value, dict):
        raise UnreadableAnswerError("WeChat's answer is not a JSON object.")
    return value


def verdict(fields: JsonObject) -> tuple[int, str]:
    """Code and text of an answer: the non-zero one of `ret` and `errcode`; -14 has priority."""
    codes = [_code(fields.get(name)) for name in ("ret", "errcode")]
    if SESSION_EXPIRED in codes:
        code = SESSION_EXPIRED
    else:
        code = next((code for code in codes if code != 0), 0)
    return code, text_of(fields.get("errmsg"))


def _code(value: object) -> int:
    number = whole_number(value)
    if number is None:
        # A word instead of a number is not a success: polling again at once would overload WeChat.
        return _UNREADABLE_CODE if isinstance(value, str) and value.strip() else 0
    return max(-MAX_INT32, min(MAX_INT32, number))


def _updates(fields: JsonObject, body: bytes) -> Updates:
    code, error_message = verdict(fields)
    listed = fields.get("msgs")
    entries = listed if isinstance(listed, list) else []
    strays = [entry for entry in entries if not isinstance(entry, dict)]
    if listed is not None and not isinstance(listed, list):
        strays.append(listed)
    return Updates(
        code=code,
        error_message=error_message,
        messages=tuple(parse_message(entry) for entry in entries if isinstance(entry, dict)),
        strays=tuple(dump(stray) for stray in strays),
        cursor=text_of(fields.get("get_updates_buf")) or None,
        longpoll_timeout_ms=number_between(
            fields.get("longpolling_timeout_ms"), 1, _LONGEST_POLL_MS
        ),
        raw=body,
    )


def parse_message(fields: JsonObject) -> IncomingMessage:
    """Parse one element of `msgs`."""
    get = fields.get
    return IncomingMessage(
        message_id=identifier(get("message_id")),
        seq=text_of(get("seq")),
        from_user_id=text_of(get("from_user_id")),
        to_user_id=text_of(get("to_user_id")),
        client_id=text_of(get("client_id")),
        session_id=text_of(get("session_id")),
        group_id=text_of(get("group_id")),
        create_time_ms=_time_ms(get("create_time_ms")),
        delete_time_ms=_time_ms(get("delete_time_ms")),
        message_type=_message_type(get("message_type")),
        message_state=number_between(get("message_state"), -MAX_INT32, MAX_INT32),
        context_token=text_of(get("context_token")),
        items=parse_items(get("item_list")),
        raw=dump(fields),
    )


def _time_ms(value: object) -> int | None:
    return number_between(value, _YEAR_2000_MS, _YEAR_2100_MS - 1)


def _message_type(value: object) -> MessageType:
    number = number_between(value, MessageType.USER, MessageType.BOT)
    return MessageType.UNKNOWN if number is None else MessageType(number)
