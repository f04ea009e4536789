"""Why a reply was refused, as sentences for the agent. The codes are those of the contract."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from messaging.conversations.errors import ReplyError
from messaging.models import Message, MessageStatus
from sessions_app.sessions import reasons
from sessions_app.team_settings.limits import team_settings

_OURS = ("window_closed", "quota_exhausted", "too_fast", "text_too_long")
"""Refusals that our own figures explain; WeChat's words are shown as well."""


def code_of(message: Message) -> str:
    """The error code as it stands now: “in doubt” is replaced once the session has ended."""
    if message.error_code == "in_doubt" and not message.session.may_send:
        return "session_offline"
    return message.error_code


def reason_of(message: Message) -> str:
    """Why this reply failed or waits, without a full stop."""
    code, detail = code_of(message) or "no_reason", message.error_detail
    if code == "session_offline":
        return reasons.sentence(code, message.session.name)
    if code == "in_doubt" and message.session.doubted_at is None:
        code = "in_doubt_over"
    sentence = reasons.sentence(code, detail)
    if code in _OURS and detail:
        return _("%(reason)s (WeChat says: %(words)s)") % {"reason": sentence, "words": detail}
    return sentence


def not_cancelled(message: Message) -> ReplyError:
    """The error for a message that is not queued and so cannot be taken back, by its status."""
    match message.status:
        case MessageStatus.SENDING:
            return ReplyError("already_sent", refusal("being_sent"))
        case MessageStatus.FAILED:
            code = "already_failed"
        case MessageStatus.UNCONFIRMED:
            code = "not_confirmed"
        case MessageStatus.CANCELLED:
            code = "already_cancelled"
        case MessageStatus.RECEIVED:
            code = "not_outgoing"
        case _:
            code = "already_sent"
    return ReplyError(code, refusal(code))


def refusal(code: str, session_name: str = "") -> str:
    """One or two sentences that also say what helps."""
    match code:
        case "empty":
            return _("Write something first.")
        case "text_too_long":
            return _("This is over 16,384 bytes, more than WeChat accepts. Shorten it.")
        case "no_context":
            return _(
                "This person has not written here yet. "
                "A WeChat bot can only reply, not write first."
            )
        case "window_closed":
            words = _(
                "The %(hours)d-hour reply window is closed. WeChat silently drops later replies. "
                "You can reply again when this person writes."
            )
            return words % {"hours": team_settings().window_hours}
        case "quota_exhausted":
            count = team_settings().replies_per_token
            words = ngettext(
                "%(count)d of %(count)d replies used (our count). WeChat may refuse more.",
                "%(count)d of %(count)d replies used (our count). WeChat may refuse more.",
                count,
            )
            return words % {"count": count}
        case "session_offline":
            return _("“%(name)s” was signed out by WeChat; its QR code must be scanned again.") % {
                "name": session_name
            }
        case "account_changed":
            return _("This would now be sent from %(name)s.") % {"name": session_name}
        case "key_reused":
            return _("This draft was already sent with another text. Send it as a new reply.")
        case "unknown_session":
            return _("There is no account with this name.")
        case "unknown_message":
            return _("The quoted message is not in this conversation.")
        case "already_decided":
            return _("Somebody has already decided about this message.")
        case "being_sent":
            return _("Too late: it is on its way.")
    return _final(code)


def _final(code: str) -> str:
    """Says what a message is already, if something else was requested."""
    match code:
        case "already_sent":
            return _("It has been sent: WeChat accepted it.")
        case "already_failed":
            return _("It was not sent, so there is nothing to cancel. You can discard it.")
        case "not_confirmed":
            return _("It was sent, but it is not clear whether it arrived. It can't be cancelled.")
        case "already_cancelled":
            return _("It was cancelled before it was sent.")
        case "still_queued":
            return _("It still waits to be sent. It can be cancelled.")
        case "not_outgoing":
            return _("This message came from the person.")
    return _("This reply cannot be sent.")
