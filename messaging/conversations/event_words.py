"""The sentence of an event line, in the reader's language and time zone. No queries."""

from collections.abc import Callable
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from messaging.models import EventCode, Message
from sessions_app.text.unseen import apart, visible

# First by a member; then by nobody, that is by a rule, a timer or the contact's own message.
_BY: dict[str, Callable[[], str]] = {
    EventCode.ASSIGNED: lambda: _("%(who)s assigned this to %(detail)s"),
    EventCode.UNASSIGNED: lambda: _("%(who)s put this back into the queue"),
    EventCode.SNOOZED: lambda: _("%(who)s snoozed this until %(detail)s"),
    EventCode.WOKEN: lambda: _("%(who)s woke this up"),
    EventCode.RESOLVED: lambda: _("%(who)s resolved this"),
    EventCode.REOPENED: lambda: _("%(who)s reopened this"),
    EventCode.TRANSFERRED: lambda: _("%(who)s transferred this to %(detail)s"),
    EventCode.LABELLED: lambda: _("%(who)s added the label %(detail)s"),
    EventCode.UNLABELLED: lambda: _("%(who)s removed the label %(detail)s"),
}
_BY_ITSELF: dict[str, Callable[[], str]] = {
    EventCode.ASSIGNED: lambda: _("Assigned to %(detail)s"),
    EventCode.UNASSIGNED: lambda: _("Back in the queue"),
    EventCode.UNDONE: lambda: _("Undone"),
    EventCode.RELEASED: lambda: _(
        "Back in the queue: %(detail)s can no longer answer conversations of this team"
    ),
    EventCode.SNOOZED: lambda: _("Snoozed until %(detail)s"),
    EventCode.WOKEN: lambda: _("No longer snoozed"),
    EventCode.RESOLVED: lambda: _("Resolved"),
    EventCode.REOPENED: lambda: _("Reopened by a new message"),
    EventCode.UNANSWERED: lambda: _("Reopened: the last reply was not sent"),
    EventCode.TRANSFERRED: lambda: _("Transferred to %(detail)s"),
    EventCode.LABELLED: lambda: _("Label added: %(detail)s"),
    EventCode.UNLABELLED: lambda: _("Label removed: %(detail)s"),
    EventCode.RECEIVED_ELSEWHERE: lambda: _(
        "Another program received a message at %(at)s; the text is not available here"
    ),
    EventCode.ANSWERED_ELSEWHERE: lambda: _("Another program answered at %(at)s"),
    EventCode.BROKE_OFF: lambda: _(
        "A response from WeChat was cut off at %(at)s; messages may be missing here"
    ),
}


# Undone actions, named by the text of their buttons.
_UNDONE: dict[str, Callable[[], str]] = {
    EventCode.ASSIGNED: lambda: _("%(who)s undid “Assign”"),
    EventCode.SNOOZED: lambda: _("%(who)s undid “Snooze”"),
    EventCode.RESOLVED: lambda: _("%(who)s undid “Resolve”"),
    EventCode.REOPENED: lambda: _("%(who)s undid “Reopen”"),
    EventCode.TRANSFERRED: lambda: _("%(who)s undid “Transfer”"),
    EventCode.LABELLED: lambda: _("%(who)s undid “Label”"),
}


SAYS_TIME = frozenset(
    {EventCode.RECEIVED_ELSEWHERE, EventCode.ANSWERED_ELSEWHERE, EventCode.BROKE_OFF}
)


def event_sentence(message: Message) -> str:
    """No full stop. An unknown code is shown as it is: a newer version may have written it."""
    who = apart(message.sent_by.display_name) if message.sent_by else ""
    detail = apart(_readable(message.event_detail))
    if message.event == EventCode.ASSIGNED and who and who == detail:
        return _("%(who)s took this conversation") % {"who": who}
    if message.event == EventCode.UNDONE and detail in _UNDONE:
        return _UNDONE[detail]() % {"who": who or _("Somebody")}
    sentences = _BY if who and message.event in _BY else _BY_ITSELF
    make = sentences.get(message.event)
    if make is None:
        return visible(f"{message.event} {message.event_detail}".strip())
    at = date_format(timezone.localtime(message.created_at), "H:i")
    if message.event == EventCode.BROKE_OFF and message.event_detail.isdecimal():
        return _most_missing(int(message.event_detail), at)
    return make() % {"who": who, "detail": detail, "at": at}


def _most_missing(count: int, at: str) -> str:
    words = ngettext(
        "A response from WeChat was cut off at %(at)s; up to %(count)s message may be missing here",
        "A response from WeChat was cut off at %(at)s; "
        "up to %(count)s messages may be missing here",
        count,
    )
    return words % {"at": at, "count": count}


def _readable(detail: str) -> str:
    """An ISO time in the reader's time zone; any other text unchanged."""
    try:
        moment = datetime.fromisoformat(detail)
    except ValueError:
        return detail
    if moment.tzinfo is None:
        return detail
    return date_format(timezone.localtime(moment), pgettext("closing time", "D H:i"))


def undone_sentence(message: Message) -> str:
    """For a reply that was taken back before it was sent."""
    if message.sent_by is None:
        return _("A reply was undone before it was sent")
    return _("%(who)s undid a reply before it was sent") % {
        "who": apart(message.sent_by.display_name)
    }
