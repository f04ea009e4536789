"""What customers do on their phones: write, send media, quote, write in bulk.

Each message has a new context token and is added to the bot's updates. It never changes what a bot
sent, and never waits.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sessions_app.simulator.errors import BadValueError, NotNowError, UnknownThingError
from sessions_app.simulator.media import aes, samples
from sessions_app.simulator.state.accounts import Bot
from sessions_app.simulator.state.chats import Bubble, Chat
from sessions_app.simulator.state.messages import (
    TYPE_OF_KIND,
    CdnFile,
    MediaStyle,
    customer_message,
    media_item,
    text_item,
)
from sessions_app.simulator.state.wechat import SimulatedWeChat

BULK_AT_ONCE = 250
"""Number of messages written while holding the lock. Held requests get their turn in between."""


@dataclass(frozen=True, slots=True)
class Writing:
    """The content of one message. Kinds: text, image, voice, file, video."""

    kind: str = "text"
    text: str = ""
    """The text, or the transcript of a voice message."""
    lines: tuple[str, ...] = ()
    """More text items in the same message."""
    file_name: str = ""
    content: bytes | None = None
    """The file's bytes. None: a small sample."""
    quote_of: str = ""
    """The message_id of the quoted message."""
    key_encoding: str = ""
    """hex, base64_raw or base64_hex. Empty: as the switch says."""
    address: str = ""
    """full_url, param or both. Empty: as the switch says."""
    plain: bool = False
    """Store the file on the CDN unencrypted, without a key."""


def write(wechat: SimulatedWeChat, bot_id: str, person_id: str, writing: Writing) -> dict[str, Any]:
    """Write a message and return it as sent. Raises NotNowError if the bot is no longer bound."""
    with wechat.lock:
        bot = _live_bot(wechat, bot_id)
        wechat.people.setdefault(person_id, person_id.partition("@")[0])
        chat = wechat.chats.open(bot_id, person_id)
        media: CdnFile | None = None
        if writing.kind == "text":
            items = [text_item(line) for line in (writing.text, *writing.lines)]
        elif writing.kind in TYPE_OF_KIND:
            media = _cdn_file(wechat, writing)
            items = [_media_item(wechat, writing, media)]
        else:
            raise BadValueError(f"kind is one of {', '.join(TYPE_OF_KIND)}")
        quoted = _quoted(wechat, chat, writing, items[0])
        message = _deliver(wechat, bot, chat, items)
        _show_on_phone(wechat, chat, writing, message, media, quoted)
        wechat.changed()
        bot.bell.ring()
        return message


def write_bulk(
    wechat: SimulatedWeChat,
    bot_ids: list[str],
    *,
    count: int,
    people: int = 1,
    prefix: str = "message",
    first: int = 1,
) -> Iterator[list[str]]:
    """Write `count` texts "<prefix> <n>" from `people` persons, in turn over people and bots.

    Yields the message ids in batches of at most 250. The lock is released between batches.
    """
    if not bot_ids or count < 0 or people < 1:
        raise BadValueError("bots, count or people is wrong")
    for start in range(0, count, BULK_AT_ONCE):
        with wechat.lock:
            lot = range(start, min(count, start + BULK_AT_ONCE))
            ids = [_bulk_one(wechat, bot_ids, people, prefix, first, n) for n in lot]
            wechat.changed()
            for bot_id in set(bot_ids):
                wechat.bots.get(bot_id).bell.ring()
        yield ids


def _bulk_one(
    wechat: SimulatedWeChat, bot_ids: list[str], people: int, prefix: str, first: int, n: int
) -> str:
    bot = _live_bot(wechat, bot_ids[n % len(bot_ids)])
    person_id = f"bulk-{n % people + 1:05d}@im.wechat"
    wechat.people.setdefault(person_id, f"Customer {n % people + 1:05d}")
    chat = wechat.chats.open(bot.bot_id, person_id)
    writing = Writing(text=f"{prefix} {first + n}")
    message = _deliver(wechat, bot, chat, [text_item(writing.text)])
    _show_on_phone(wechat, chat, writing, message, None, "")
    return str(message["message_id"])


def inject(wechat: SimulatedWeChat, bot_id: str, values: list[Any]) -> None:
    """Add JSON values to the bot's updates unchanged, in this order.

    A context token in them becomes the person's newest, so that the bot can reply.
    """
    with wechat.lock:
        bot = _live_bot(wechat, bot_id)
        for value in values:
            bot.updates.append(value)
            _learn_token(wechat, bot, value)
        wechat.changed()
        bot.bell.ring()


def repeat_last(
    wechat: SimulatedWeChat, bot_id: str, person_id: str, *, new_token: bool = True
) -> dict[str, Any]:
    """Send the person's newest message again with another token, as WeChat was reported to do."""
    with wechat.lock:
        bot = _live_bot(wechat, bot_id)
        chat = wechat.chats.find(bot_id, person_id)
        if chat is None or chat.last_message is None:
            raise UnknownThingError("this person has written nothing to this bot")
        message = dict(chat.last_message)
        if new_token:
            message["context_token"] = chat.new_context(wechat.clock.now()).token
        bot.updates.append(message)
        wechat.changed()
        bot.bell.ring()
        return message


def _live_bot(wechat: SimulatedWeChat, bot_id: str) -> Bot:
    bot = wechat.bots.get(bot_id)
    if not bot.alive:
        raise NotNowError(f"{bot_id} is no longer bound: {bot.ended_because}")
    return bot


def _learn_token(wechat: SimulatedWeChat, bot: Bot, value: Any) -> None:
    if not isinstance(value, dict):
        return
    person_id, token = value.get("from_user_id"), value.get("context_token")
    if isinstance(person_id, str) and isinstance(token, str) and person_id and token:
        wechat.chats.open(bot.bot_id, person_id).learn_context(token, wechat.clock.now())


def _deliver(
    wechat: SimulatedWeChat, bot: Bot, chat: Chat, items: list[dict[str, Any]]
) -> dict[str, Any]:
    message = customer_message(
        message_id=wechat.take_message_id(),
        seq=bot.updates.newest + 1,
        person_id=chat.person_id,
        bot_id=bot.bot_id,
        at_ms=wechat.clock.now_ms(),
        items=items,
        context_token=chat.new_context(wechat.clock.now()).token,
    )
    chat.last_message = message
    bot.updates.append(message)
    return message


def _show_on_phone(
    wechat: SimulatedWeChat,
    chat: Chat,
    writing: Writing,
    message: dict[str, Any],
    media: CdnFile | None,
    quote: str,
) -> None:
    wechat.chats.touch(chat)
    chat.show(
        Bubble(
            number=chat.bubble_count + 1,
            from_bot=False,
            kind=writing.kind,
            text="\n".join((writing.text, *writing.lines)),
            at_ms=message["create_time_ms"],
            message_id=str(message["message_id"]),
            media=media.param if media else "",
            file_name=media.name if media else "",
            quote=quote,
        )
    )


def _quoted(wechat: SimulatedWeChat, chat: Chat, writing: Writing, item: dict[str, Any]) -> str:
    """Add `ref_msg` to the item. Returns the quoted text, for the bubble."""
    if not writing.quote_of:
        return ""
    bubble = chat.bubble(writing.quote_of)
    if bubble is None:
        raise UnknownThingError(f"no message {writing.quote_of} in this chat")
    inner: dict[str, Any] = {"type": TYPE_OF_KIND[bubble.kind], "msg_id": bubble.message_id}
    item["ref_msg"] = {"message_item": inner}
    if wechat.switches.quotes_carry_text and bubble.text:
        item["ref_msg"]["title"] = bubble.text[:80]
        inner["text_item"] = {"text": bubble.text}
    return bubble.text or f"[{bubble.kind}]"


def _cdn_file(wechat: SimulatedWeChat, writing: Writing) -> CdnFile:
    name, content = sample(writing.kind, writing.file_name)
    content = content if writing.content is None else writing.content
    if writing.plain:
        return CdnFile(wechat.cdn.put(content), None, content, name)
    key = secrets.token_bytes(16)
    return CdnFile(wechat.cdn.put(aes.encrypt(content, key), key), key, content, name)


def _media_item(wechat: SimulatedWeChat, writing: Writing, file: CdnFile) -> dict[str, Any]:
    switches = wechat.switches
    encoding = writing.key_encoding or switches.key_encoding
    if encoding == "rotate":
        encoding = ("base64_hex", "base64_raw", "hex")[wechat.next_message_id % 3]
    style = MediaStyle(writing.address or switches.media_address, encoding, switches.image_aeskey)
    return media_item(writing.kind, file, style, transcript=writing.text, playtime_ms=2_000)


def sample(kind: str, file_name: str = "") -> tuple[str, bytes]:
    """A file name and a small content for a kind.

    The name's suffix decides the content of a file.
    """
    if kind == "image":
        return file_name or "picture.png", samples.picture(len(file_name))
    if kind == "voice":
        return file_name or "voice.silk", samples.voice()
    if kind == "video":
        return file_name or "video.mp4", samples.video()
    if file_name.endswith(".txt"):
        return file_name, samples.note("发票抬头：杭州小店贸易有限公司\nInvoice for order SF1039\n")
    return file_name or "invoice-SF1039.pdf", samples.pdf()
