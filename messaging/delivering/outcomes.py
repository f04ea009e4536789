"""Finds out why WeChat refused a reply, from our figures, WeChat's words and its code."""

from django.utils import timezone

from messaging.delivering import throttle
from messaging.models import Message, SendAttempt
from messaging.receiving import doubts
from messaging.reply_window.reply_route import likely_cause
from messaging.reply_window.routes import candidate
from sessions_app.ilink.errors import REPLY_REFUSED, SESSION_EXPIRED
from sessions_app.models import Context
from sessions_app.team_settings.limits import team_settings

TOKEN_REPLACED = "token_replaced"  # noqa: S105
"""The contact wrote while the reply was under way: WeChat takes the newest token only."""


def code_of(
    message: Message,
    context: Context | None,
    generation: int,
    *,
    wire_code: int,
    words: str,
    is_crossed: bool,
) -> str:
    """Why, as our own figures, WeChat's words and its code tell, in this order.

    `context`: the one that it used; `generation`: the binding that it was sent with;
    `is_crossed`: a message with a newer token came while it was under way.
    """
    if wire_code == SESSION_EXPIRED:
        session = message.session
        is_open = session.may_send and session.generation == generation
        return doubts.IN_DOUBT if is_open else "session_offline"
    code = "refused"
    if wire_code == REPLY_REFUSED:
        code = _cause(message, context)
        if is_crossed and code != "text_too_long":  # the context's figures are the newer token's
            return TOKEN_REPLACED
    if code not in ("refused", "no_reason"):
        return code
    if throttle.says_so(words):
        return "rate_limited"
    return "wechat_says" if code == "no_reason" and words else code


def _cause(message: Message, context: Context | None) -> str:
    now, limits = timezone.now(), team_settings()
    recent = SendAttempt.objects.filter(
        message__conversation=message.conversation, started_at__gt=now - limits.pace_span
    )
    return likely_cause(
        text=message.text,
        used_before=max(0, context.replies_used - 1) if context else 0,
        closes_at=candidate(context).closes_at() if context else None,
        recent_sends=recent.count(),
        now=now,
        limits=limits,
    )
