"""Decides whether WeChat accepts a reply: pace, length, context token, 24 hours, ten replies. Pure.

It returns a verdict and counts the call. It shows nothing to anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sessions_app.simulator.state.chats import Chat, Context
from sessions_app.simulator.state.switches import Switches

RATE_LIMITED = "rate limited"
"""The reported text of ret -2, whatever the real reason."""


class Outcome(StrEnum):
    """The result of a send. The first two reached nobody although WeChat answered ret 0."""

    DROPPED_WINDOW = "dropped_window"
    DROPPED_SILENT_CONNECT = "dropped_silent_connect"
    HIDDEN_VOICE = "hidden_voice"
    SHOWN = "shown"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Verdict:
    outcome: Outcome
    ret: int = 0
    errmsg: str = ""
    why: str = ""
    """The real reason, for the records."""


def judge(
    chat: Chat | None, *, token: object, text: str, now: float, switches: Switches
) -> Verdict:
    """The verdict on one well-formed send to this chat. None: the person never wrote."""
    if chat is None:
        return _refused("invalid context_token", "this person never wrote to this bot")
    if _too_fast(chat, now, switches):
        return _refused(RATE_LIMITED, f"{switches.pace_count} calls in {switches.pace_s:.0f} s")
    if len(text.encode("utf-8", "surrogatepass")) > switches.text_limit_bytes:
        return _refused("text too long", f"text over {switches.text_limit_bytes} bytes")
    context = _context_for(chat, token, switches)
    if context is None:
        return _refused("invalid context_token", "stale or foreign context token")
    if now - context.given_at > switches.window_s:
        return Verdict(Outcome.DROPPED_WINDOW, why="the window is closed")
    if context.replies >= switches.replies_per_token:
        return _refused(RATE_LIMITED, f"{switches.replies_per_token} replies used")
    context.replies += 1
    return Verdict(Outcome.SHOWN)


def _refused(errmsg: str, why: str) -> Verdict:
    return Verdict(Outcome.REFUSED, -2, errmsg, why)


def _too_fast(chat: Chat, now: float, switches: Switches) -> bool:
    """True for the 13th call within 5 minutes. All calls count, including this one."""
    while chat.calls and now - chat.calls[0] >= switches.pace_s:
        chat.calls.popleft()
    chat.calls.append(now)
    return switches.pace_on and len(chat.calls) > switches.pace_count


def _context_for(chat: Chat, token: object, switches: Switches) -> Context | None:
    if not chat.contexts:
        return None
    if switches.only_newest_token:
        newest = chat.contexts[-1]
        return newest if newest.token == token else None
    return next((context for context in chat.contexts if context.token == token), None)
