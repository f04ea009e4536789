"""Messages and items in the wire's format: builds those of customers, reads those of bots. Pure.

It does not count, store or decide. For an invalid bot message it returns a sentence.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from sessions_app.simulator.addresses import Addresses
from sessions_app.simulator.media.aes import ciphertext_size, encode_key, md5_hex

TYPE_OF_KIND = {"text": 1, "image": 2, "voice": 3, "file": 4, "video": 5}
KIND_OF_TYPE = {number: kind for kind, number in TYPE_OF_KIND.items()}
ENCODING_SILK = 6
FULL_URL_LATER = "simulator:full_url"
"""Placeholder for a URL that is known only when a request arrives."""


@dataclass(frozen=True, slots=True)
class CdnFile:
    """A customer's file on the CDN. Without a key it is not encrypted."""

    param: str
    key: bytes | None
    plain: bytes
    name: str


@dataclass(frozen=True, slots=True)
class MediaStyle:
    """How media is described. The three fields are switches."""

    address: str
    key_encoding: str
    image_aeskey: bool


@dataclass(frozen=True, slots=True)
class BotMessage:
    """One well-formed sendmessage."""

    to_user_id: str
    client_id: str
    context_token: object
    kind: str
    item: dict[str, Any]
    text: str


def text_item(text: str) -> dict[str, Any]:
    return {"type": 1, "text_item": {"text": text}}


def media_item(
    kind: str, file: CdnFile, style: MediaStyle, *, transcript: str = "", playtime_ms: int = 0
) -> dict[str, Any]:
    """An image, voice, file or video item as customers send it."""
    media = _media(file, style)
    size = ciphertext_size(len(file.plain))
    content: dict[str, Any]
    if kind == "image":
        content = {"media": media, "mid_size": size}
        if file.key is not None and style.image_aeskey:
            content["aeskey"] = file.key.hex()
    elif kind == "voice":
        content = {
            "media": media,
            "encode_type": ENCODING_SILK,
            "sample_rate": 24_000,
            "bits_per_sample": 16,
            "playtime": playtime_ms,
            "text": transcript,
        }
    elif kind == "file":
        content = {"media": media, "file_name": file.name, "len": str(len(file.plain))}
        content["md5"] = md5_hex(file.plain)
    else:
        content = {"media": media, "video_size": size, "play_length": 2}
        content["video_md5"] = md5_hex(file.plain)
    return {"type": TYPE_OF_KIND[kind], f"{kind}_item": content}


def _media(file: CdnFile, style: MediaStyle) -> dict[str, Any]:
    media: dict[str, Any] = {}
    if style.address != "full_url":
        media["encrypt_query_param"] = file.param
    if style.address != "param":
        media["full_url"] = FULL_URL_LATER + file.param
    if file.key is not None:
        media |= {"aes_key": encode_key(file.key, style.key_encoding), "encrypt_type": 1}
    return media


def customer_message(
    *,
    message_id: int,
    seq: int,
    person_id: str,
    bot_id: str,
    at_ms: int,
    items: list[dict[str, Any]],
    context_token: str,
) -> dict[str, Any]:
    return {
        "seq": seq,
        "message_id": message_id,
        "from_user_id": person_id,
        "to_user_id": bot_id,
        "client_id": f"wx{message_id}",
        "create_time_ms": at_ms,
        "update_time_ms": at_ms,
        "delete_time_ms": 0,
        "session_id": f"{person_id}#{bot_id}",
        "group_id": "",
        "message_type": 1,
        "message_state": 2,
        "item_list": [{**item, "msg_id": str(message_id)} for item in items],
        "context_token": context_token,
    }


def with_addresses(message: Any, addresses: Addresses) -> Any:
    """A copy of the message with its full URLs filled in."""
    if not isinstance(message, dict) or not isinstance(message.get("item_list"), list):
        return message
    if not any(_late_media(item) for item in message["item_list"]):
        return message
    message = copy.deepcopy(message)
    for item in message["item_list"]:
        media = _late_media(item)
        if media is not None:
            param = media["full_url"].removeprefix(FULL_URL_LATER)
            media["full_url"] = addresses.download(param)
    return message


def _late_media(item: Any) -> dict[str, Any] | None:
    if not isinstance(item, dict):
        return None
    for kind in ("image", "voice", "file", "video"):
        content = item.get(f"{kind}_item")
        media = content.get("media") if isinstance(content, dict) else None
        if isinstance(media, dict) and str(media.get("full_url", "")).startswith(FULL_URL_LATER):
            return media
    return None


def read_bot_message(body: dict[str, Any]) -> BotMessage | str:
    """The single item of a sendmessage, or a sentence that says why the request is bad."""
    message = body.get("msg")
    if not isinstance(message, dict):
        return "msg is missing"
    fault = _envelope_fault(message)
    if fault:
        return fault
    item = message["item_list"][0]
    kind = KIND_OF_TYPE.get(item.get("type"))
    content = item.get(f"{kind}_item")
    if kind is None or not isinstance(content, dict):
        return "the item has no known type with its content"
    text = content.get("text", "") if kind == "text" else ""
    if kind == "text" and not (isinstance(text, str) and text):
        return "text_item.text is empty"
    return BotMessage(
        message["to_user_id"],
        message["client_id"],
        message.get("context_token"),
        kind,
        item,
        text,
    )


def _envelope_fault(message: dict[str, Any]) -> str:
    for name in ("to_user_id", "client_id"):
        if not (isinstance(message.get(name), str) and message[name]):
            return f"{name} is missing"
    if message.get("from_user_id", "") != "":
        return "from_user_id is not empty"
    if message.get("message_type") != 2 or message.get("message_state") != 2:
        return "message_type and message_state are not both 2"
    items = message.get("item_list")
    if not (isinstance(items, list) and len(items) == 1 and isinstance(items[0], dict)):
        return "item_list does not hold exactly one item"
    return ""
