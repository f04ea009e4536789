"""Why a reply was not taken, as sentences for the agent. Codes are the contract's."""

from django.utils.translation import gettext as _


def refusal(code: str, session_name: str = "") -> str:
    """One or two sentences, with what helps."""
    match code:
        case "empty":
            return _("Write something first.")
        case "text_too_long":
            return _("This is over 16,384 bytes, more than WeChat takes. Shorten it.")
        case "no_context":
            return _("This person has not written here yet; WeChat lets bots only answer.")
        case "window_closed":
            return _(
                "The 24 hours are over. WeChat drops later replies without telling. "
                "It opens again when this person writes."
            )
        case "quota_exhausted":
            return _("10 replies are used by our count; WeChat may refuse more.")
        case "session_offline":
            return _("“%(name)s” is signed out by WeChat; one scan is needed.") % {
                "name": session_name
            }
        case "key_reused":
            return _("This draft was sent already, with another text. Send it as a new one.")
        case "unknown_session":
            return _("There is no session of this name.")
        case "unknown_message":
            return _("The message to answer is not in this conversation.")
        case "already_decided":
            return _("Somebody decided about this message already.")
        case "already_sent":
            return _("Too late: it is on its way.")
    return _("This reply cannot be sent.")
