"""What a bot does besides polling: reply, typing, upload, notifystart and notifystop.

Each function returns the JSON of its endpoint. None waits or knows HTTP. The caller has already
found the bot by its token.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from sessions_app.simulator.addresses import Addresses
from sessions_app.simulator.media.aes import decode_sent_key
from sessions_app.simulator.media.cdn import Upload
from sessions_app.simulator.state.accounts import Bot
from sessions_app.simulator.state.chats import Bubble, Chat
from sessions_app.simulator.state.messages import BotMessage, read_bot_message
from sessions_app.simulator.state.quotas import Outcome, Verdict, judge
from sessions_app.simulator.state.records import SendRecord
from sessions_app.simulator.state.wechat import SimulatedWeChat

BAD_REQUEST = -1
REFUSED = -2


@dataclass(frozen=True, slots=True)
class MediaFinding:
    """What the phone can do with the media of a reply."""

    refusal: str = ""
    broken: str = ""
    key: str = ""


def send_message(
    wechat: SimulatedWeChat, bot: Bot, body: dict[str, Any], *, app_headers_ok: bool
) -> dict[str, Any]:
    """sendmessage: judge, count, record and perhaps show the reply."""
    with wechat.lock:
        message = read_bot_message(body)
        if isinstance(message, str):
            _record_malformed(wechat, bot, body, message)
            return {"ret": BAD_REQUEST, "errmsg": message}
        media = _check_media(wechat, bot, message)
        if media.refusal:
            verdict = Verdict(Outcome.REFUSED, BAD_REQUEST, media.refusal, media.refusal)
        else:
            verdict = _judge(wechat, bot, message, app_headers_ok)
        answer = _carry_out(wechat, bot, message, verdict, media)
        wechat.changed()
    if verdict.outcome is Outcome.SHOWN:
        for listener in wechat.on_shown:
            listener(bot.bot_id, message.to_user_id)
    return answer


def _judge(wechat: SimulatedWeChat, bot: Bot, message: BotMessage, app_headers_ok: bool) -> Verdict:
    verdict = judge(
        wechat.chats.find(bot.bot_id, message.to_user_id),
        token=message.context_token,
        text=message.text,
        now=wechat.clock.now(),
        switches=wechat.switches,
    )
    if verdict.outcome is not Outcome.SHOWN:
        return verdict
    if message.kind == "voice":
        return Verdict(Outcome.HIDDEN_VOICE, why="voice bubbles of bots are never shown")
    heard = bot.stopped or (bot.notified and app_headers_ok)
    if wechat.switches.needs_notifystart and not heard and bot.shown_since_connect:
        return Verdict(Outcome.DROPPED_SILENT_CONNECT, why="no notifystart or no iLink-App headers")
    bot.shown_since_connect += 1
    return verdict


def _carry_out(
    wechat: SimulatedWeChat, bot: Bot, message: BotMessage, verdict: Verdict, media: MediaFinding
) -> dict[str, Any]:
    number = wechat.take_message_id()
    if verdict.outcome is Outcome.SHOWN:
        _show(wechat, bot, message, number, media)
    answer = _send_answer(wechat, verdict, number)
    _record(
        wechat,
        bot,
        verdict,
        message_id=str(number) if verdict.ret == 0 else "",
        person_id=message.to_user_id,
        client_id=message.client_id,
        kind=message.kind,
        text=message.text,
        context_token=message.context_token,
        item=message.item,
    )
    return answer


def _send_answer(wechat: SimulatedWeChat, verdict: Verdict, number: int) -> dict[str, Any]:
    switches = wechat.switches
    if verdict.ret:
        return {"ret": verdict.ret, "errmsg": verdict.errmsg}
    if switches.answers_empty_object:
        return {}
    dropped = verdict.outcome in (Outcome.DROPPED_WINDOW, Outcome.DROPPED_SILENT_CONNECT)
    if switches.gives_message_ids and (switches.dropped_gives_id or not dropped):
        return {"ret": 0, "message_id": str(number)}
    return {"ret": 0}


def _show(
    wechat: SimulatedWeChat, bot: Bot, message: BotMessage, number: int, media: MediaFinding
) -> None:
    chat = wechat.chats.open(bot.bot_id, message.to_user_id)
    content = message.item[f"{message.kind}_item"]
    wechat.chats.touch(chat)
    chat.show(
        Bubble(
            number=chat.bubble_count + 1,
            from_bot=True,
            kind=message.kind,
            text=message.text,
            at_ms=wechat.clock.now_ms(),
            message_id=str(number),
            client_id=message.client_id,
            media=media.key,
            file_name=str(content.get("file_name", "")),
            quote=_quoted_text(chat, message.item),
            broken=bool(media.broken),
        )
    )
    if wechat.switches.echoes_bot_messages:
        bot.updates.append(_echo(wechat, bot, message, number))
        bot.bell.ring()


def _quoted_text(chat: Chat, item: dict[str, Any]) -> str:
    quote = item.get("ref_msg")
    if not isinstance(quote, dict):
        return ""
    inner = quote.get("message_item")
    inner = inner if isinstance(inner, dict) else {}
    text = (inner.get("text_item") or {}).get("text") if isinstance(inner, dict) else ""
    known = chat.bubble(str(inner.get("msg_id", "")))
    return str(text or quote.get("title") or (known.text if known else "") or "…")


def _echo(wechat: SimulatedWeChat, bot: Bot, message: BotMessage, number: int) -> dict[str, Any]:
    return {
        "seq": bot.updates.newest + 1,
        "message_id": number,
        "from_user_id": bot.bot_id,
        "to_user_id": message.to_user_id,
        "client_id": message.client_id,
        "create_time_ms": wechat.clock.now_ms(),
        "message_type": 2,
        "message_state": 2,
        "item_list": [message.item],
        "context_token": message.context_token,
    }


def _check_media(wechat: SimulatedWeChat, bot: Bot, message: BotMessage) -> MediaFinding:
    """Check that the media was uploaded for this person and that its key and sizes are right."""
    if message.kind == "text":
        return MediaFinding()
    content = message.item[f"{message.kind}_item"]
    media = content.get("media")
    if not isinstance(media, dict):
        return MediaFinding(refusal="media is missing")
    upload = wechat.cdn.finished(str(media.get("encrypt_query_param")))
    if upload is None:
        return MediaFinding(refusal="media was never uploaded")
    if (upload.ticket.bot_id, upload.ticket.person_id) != (bot.bot_id, message.to_user_id):
        return MediaFinding(refusal="media was uploaded for somebody else")
    broken = _media_fault(upload, message.kind, content)
    if broken:
        wechat.violations.record("/ilink/bot/sendmessage", broken)
    return MediaFinding(broken=broken, key=upload.param)


def _media_fault(upload: Upload, kind: str, content: dict[str, Any]) -> str:
    media = content["media"]
    if decode_sent_key(media.get("aes_key")) != upload.ticket.key:
        return "media.aes_key is not base64 of the upload's hex key"
    if media.get("encrypt_type") != 1:
        return "media.encrypt_type is not 1"
    size_name = {"image": "mid_size", "video": "video_size"}.get(kind)
    if size_name and content.get(size_name) != upload.ticket.filesize:
        return f"{size_name} is not the ciphertext size"
    if kind == "file" and content.get("len") != str(upload.ticket.rawsize):
        return "file_item.len is not the plaintext size as a string"
    if kind == "file" and not content.get("file_name"):
        return "file_item.file_name is missing"
    return ""


def _record_malformed(wechat: SimulatedWeChat, bot: Bot, body: dict[str, Any], fault: str) -> None:
    message = body.get("msg")
    message = message if isinstance(message, dict) else {}
    verdict = Verdict(Outcome.REFUSED, BAD_REQUEST, fault, fault)
    _record(
        wechat,
        bot,
        verdict,
        message_id="",
        person_id=str(message.get("to_user_id", "")),
        client_id=str(message.get("client_id", "")),
        kind="",
        text="",
        context_token=message.get("context_token"),
        item=message.get("item_list"),
    )
    wechat.changed()


def _record(wechat: SimulatedWeChat, bot: Bot, verdict: Verdict, **facts: Any) -> None:
    wechat.sends.append(
        SendRecord(
            number=next(wechat.send_numbers),
            at_ms=wechat.clock.now_ms(),
            bot_id=bot.bot_id,
            outcome=verdict.outcome,
            ret=verdict.ret,
            errmsg=verdict.errmsg,
            why=verdict.why,
            **facts,
        )
    )


def get_config(wechat: SimulatedWeChat, bot: Bot, body: dict[str, Any]) -> dict[str, Any]:
    """getconfig: one typing ticket per person, kept while it is valid."""
    person_id = body.get("ilink_user_id")
    if not (isinstance(person_id, str) and person_id):
        return {"ret": BAD_REQUEST, "errmsg": "ilink_user_id is missing"}
    with wechat.lock:
        chat = wechat.chats.open(bot.bot_id, person_id)
        lifetime_s = wechat.switches.typing_ticket_lifetime_s
        ticket = chat.typing_ticket(wechat.clock.now(), lifetime_s)
    return {"ret": 0, "typing_ticket": base64.b64encode(ticket.encode()).decode()}


def send_typing(wechat: SimulatedWeChat, bot: Bot, body: dict[str, Any]) -> dict[str, Any]:
    """sendtyping: the phone shows "typing…" until it is told to stop or a message arrives."""
    person_id, status = body.get("ilink_user_id"), body.get("status")
    if not isinstance(person_id, str) or status not in (1, 2):
        return {"ret": BAD_REQUEST, "errmsg": "ilink_user_id or status is wrong"}
    with wechat.lock:
        chat = wechat.chats.find(bot.bot_id, person_id)
        ticket = _plain_ticket(body.get("typing_ticket"))
        lifetime_s = wechat.switches.typing_ticket_lifetime_s
        if chat is None or not chat.ticket_is_good(ticket, wechat.clock.now(), lifetime_s):
            return {"ret": REFUSED, "errmsg": "invalid typing_ticket"}
        chat.typing = status == 1
        wechat.changed()
    return {"ret": 0}


def _plain_ticket(value: object) -> str:
    try:
        return base64.b64decode(str(value), validate=True).decode()
    except ValueError:
        return ""


def get_upload_url(
    wechat: SimulatedWeChat, bot: Bot, body: dict[str, Any], addresses: Addresses
) -> dict[str, Any]:
    with wechat.lock:
        opened = wechat.cdn.open_ticket(bot.bot_id, body)
        where = wechat.switches.upload_address
    if isinstance(opened, str):
        return {"ret": BAD_REQUEST, "errmsg": opened}
    param, ticket = opened
    answer: dict[str, Any] = {"ret": 0}
    if where != "full":
        answer["upload_param"] = param
    if where != "param":
        answer["upload_full_url"] = addresses.upload(param, ticket.filekey)
    return answer


def notify(wechat: SimulatedWeChat, bot: Bot, *, start: bool) -> dict[str, Any]:
    """notifystart lets replies arrive.

    After notifystop, a connect without notifystart is recorded.
    """
    with wechat.lock:
        if start:
            bot.connect(notified=True)
        else:
            bot.stopped = True
        wechat.changed()
    return {"ret": 0}
