"""What a quiet line of a thread says, in the reader's language and zone. Pure."""

from collections.abc import Callable
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from messaging.models import EventCode, Message

# By somebody, and by nobody: a rule, a clock or the person's own message did it.
_BY: dict[str, Callable[[], str]] = {
    EventCode.ASSIGNED: lambda: _("%(who)s assigned this to %(detail)s"),
    EventCode.UNASSIGNED: lambda: _("%(who)s put this back into the queue"),
    EventCode.SNOOZED: lambda: _("%(who)s snoozed this until %(detail)s"),
    EventCode.WOKEN: lambda: _("%(who)s woke this up"),
    EventCode.RESOLVED: lambda: _("%(who)s resolved this"),
    EventCode.REOPENED: lambda: _("%(who)s opened this again"),
    EventCode.TRANSFERRED: lambda: _("%(who)s transferred this to %(detail)s"),
    EventCode.LABELLED: lambda: _("%(who)s added the label %(detail)s"),
    EventCode.UNLABELLED: lambda: _("%(who)s took off the label %(detail)s"),
}
_BY_ITSELF: dict[str, Callable[[], str]] = {
    EventCode.ASSIGNED: lambda: _("Assigned to %(detail)s"),
    EventCode.UNASSIGNED: lambda: _("Back in the queue"),
    EventCode.SNOOZED: lambda: _("Snoozed until %(detail)s"),
    EventCode.WOKEN: lambda: _("No longer snoozed"),
    EventCode.RESOLVED: lambda: _("Resolved"),
    EventCode.REOPENED: lambda: _("Open again: a message came"),
    EventCode.TRANSFERRED: lambda: _("Transferred to %(detail)s"),
    EventCode.LABELLED: lambda: _("Label added: %(detail)s"),
    EventCode.UNLABELLED: lambda: _("Label taken off: %(detail)s"),
    EventCode.RECEIVED_ELSEWHERE: lambda: _(
        "Another program received a message at %(at)s; its text is not here"
    ),
    EventCode.ANSWERED_ELSEWHERE: lambda: _("Another program answered at %(at)s"),
}


SAYS_TIME = frozenset({EventCode.RECEIVED_ELSEWHERE, EventCode.ANSWERED_ELSEWHERE})


def event_sentence(message: Message) -> str:
    """Without a full stop. An unknown code says itself: a newer version may have written it."""
    who = message.sent_by.display_name if message.sent_by else ""
    detail = _readable(message.event_detail)
    if message.event == EventCode.ASSIGNED and who and who == detail:
        return _("%(who)s took this conversation") % {"who": who}
    sentences = _BY if who and message.event in _BY else _BY_ITSELF
    make = sentences.get(message.event)
    if make is None:
        return f"{message.event} {detail}".strip()
    at = date_format(timezone.localtime(message.created_at), "H:i")
    return make() % {"who": who, "detail": detail, "at": at}


def _readable(detail: str) -> str:
    """An ISO time in the reader's zone; anything else as it is."""
    try:
        moment = datetime.fromisoformat(detail)
    except ValueError:
        return detail
    if moment.tzinfo is None:
        return detail
    return date_format(timezone.localtime(moment), pgettext("closing time", "D H:i"))


def undone_sentence(message: Message) -> str:
    """Of a reply that was taken back before it went."""
    if message.sent_by is None:
        return _("A reply was taken back before it was sent")
    return _("%(who)s took a reply back before it was sent") % {"who": message.sent_by.display_name}
