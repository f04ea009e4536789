"""What a row of the list shows: preview, chips, and the texts around the list.

Works on rows that are already loaded; runs no queries.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from messaging.inbox.list_queries import Beside
from messaging.inbox.lists import NOBODY, Listing, Sort, View, row_key
from messaging.inbox.presentation import preview
from messaging.models import Conversation, ConversationStatus, Direction
from messaging.reply_window.urgency import Closing
from messaging.reply_window.window_words import left_words
from sessions_app.people.roles import Visitor
from sessions_app.team_settings.limits import TeamSettings
from sessions_app.templatetags.console import until_text

DEFAULTS = TeamSettings()
LONG_WAIT = timedelta(hours=1)
DIGIT_AT = 3
LABELS_SHOWN = 2


@dataclass(frozen=True, slots=True)
class Chip:
    """`closing`: counts down to the end of the reply window, with a ring near the end.

    `since`: counts up from this time, on the page too. `hue`: a colour beside the text.
    `presence`: the page updates it by itself (presence.js). `only`: "draft" if only its writer
    sees it, "assignee" if only the others do, "" for everybody.
    """

    words: str
    tone: str = ""
    closing: Closing | None = None
    icon: str = ""
    since: datetime | None = None
    presence: bool = False
    hue: int | None = None
    only: str = ""

    @property
    def share(self) -> int | None:
        """Percent of the window that is left, for the ring; None for no ring."""
        return self.closing.share if self.closing else None

    @property
    def marks(self) -> SafeString:
        return self.closing.marks if self.closing else SafeString("")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the list. `key` sorts the rows of this list, greatest first.

    `last`: sorts by the last message, however the list is sorted.
    """

    conversation: Conversation
    preview: str
    chips: list[Chip]
    is_ours: bool
    key: str
    last: str


def row(
    conversation: Conversation,
    *,
    now: datetime,
    limits: TeamSettings | None = None,
    sort: Sort = Sort.NEWEST,
    beside: Beside | None = None,
    reader: Visitor | None = None,
) -> Row:
    return Row(
        conversation=conversation,
        preview=preview(conversation),
        chips=_chips(conversation, now, limits or DEFAULTS, beside or Beside(), reader),
        is_ours=conversation.last_direction == Direction.OUT,
        key=row_key(conversation, sort, now=now),
        last=f"{conversation.last_at:%Y%m%d%H%M%S.%f}-{conversation.pk:019d}",
    )


def _chips(
    conversation: Conversation,
    now: datetime,
    limits: TeamSettings,
    beside: Beside,
    reader: Visitor | None,
) -> list[Chip]:
    """Chips, most urgent first, since those that do not fit are cut off at the end."""
    chips = [*_held_chips(beside), *_work_chips(conversation, now)]
    chips.append(window_chip(conversation.closes_at, now, window=limits.window))
    left = max(0, limits.replies_per_token - conversation.replies_used)
    open_now = conversation.closes_at is not None and conversation.closes_at > now
    if open_now and left <= DIGIT_AT:
        words = ngettext("%(count)d reply left", "%(count)d replies left", left)
        chips.append(Chip(words % {"count": left}, "bad" if left == 0 else "warn"))
    chips += _people_chips(conversation, beside, reader)
    return chips + label_chips(conversation)


def _held_chips(beside: Beside) -> list[Chip]:
    chips, held = [], beside.held
    if held.not_sent:
        words = ngettext("%(count)d not sent", "%(count)d not sent", held.not_sent)
        chips.append(Chip(words % {"count": held.not_sent}, "bad"))
    if held.not_confirmed:
        words = ngettext("%(count)d not confirmed", "%(count)d not confirmed", held.not_confirmed)
        chips.append(Chip(words % {"count": held.not_confirmed}, "warn"))
    if held.no_receipt:
        words = ngettext("%(count)d without receipt", "%(count)d without receipt", held.no_receipt)
        chips.append(Chip(words % {"count": held.no_receipt}))
    if beside.parked:
        words = ngettext(
            "%(count)d waiting for the customer",
            "%(count)d waiting for the customer",
            beside.parked,
        )
        chips.append(Chip(words % {"count": beside.parked}))
    if beside.has_draft:
        chips.append(Chip(_("draft"), icon="pencil", only="draft"))
    return chips


def _work_chips(conversation: Conversation, now: datetime) -> list[Chip]:
    chips = []
    if conversation.missed_at is not None:
        chips.append(Chip(_("missed"), "bad"))
    elif conversation.waiting_since is not None:
        waited = max(timedelta(0), now - conversation.waiting_since)
        words = waiting_words(int(waited.total_seconds()))
        tone = "warn" if waited >= LONG_WAIT else ""
        chips.append(Chip(words, tone, since=conversation.waiting_since))
    if conversation.status == ConversationStatus.SNOOZED and conversation.snoozed_until:
        chips.append(Chip(until_text(conversation.snoozed_until), icon="alarm-clock"))
    elif conversation.status == ConversationStatus.RESOLVED:
        chips.append(Chip(_("resolved"), icon="check"))
    return chips


def _people_chips(conversation: Conversation, beside: Beside, reader: Visitor | None) -> list[Chip]:
    chips = [Chip(name, icon="pencil-line", tone="ok", presence=True) for name in beside.typing]
    looking = [name for name in beside.looking if name not in beside.typing]
    chips += [Chip(name, icon="eye", presence=True) for name in looking]
    assignee = conversation.assignee
    if assignee is not None and (reader is None or assignee.pk != reader.pk):
        chips.append(Chip(assignee.display_name, icon="user", only="assignee"))
    return chips


def label_chips(conversation: Conversation) -> list[Chip]:
    labels = list(conversation.labels.all())
    chips = [Chip(label.name, hue=label.colour) for label in labels[:LABELS_SHOWN]]
    if len(labels) > LABELS_SHOWN:
        chips.append(Chip(f"+{len(labels) - LABELS_SHOWN}"))
    return chips


def window_chip(
    closes_at: datetime | None, now: datetime, *, window: timedelta = DEFAULTS.window
) -> Chip:
    """The time left in the window; in the last hour, the time at which it closes."""
    if closes_at is None or closes_at <= now:
        return Chip(_("closed"))
    closing = Closing(closes_at, closes_at - now, window)
    if closing.urgency:
        return Chip(closing.words, "bad", closing)
    return Chip(left_words(closing.left), "warn" if closing.is_near else "", closing)


def waiting_words(seconds: int) -> str:
    """For example “waiting 6 min”; the page goes on counting."""
    if seconds < 60:
        return _("waiting")
    if seconds < 3_600:
        return _("waiting %(count)d min") % {"count": seconds // 60}
    if seconds < 86_400:
        return _("waiting %(count)d h") % {"count": seconds // 3_600}
    return _("waiting %(count)d d") % {"count": seconds // 86_400}


def list_title(listing: Listing) -> str:
    """The heading above the list: the same text as the link to it."""
    return str(listing.view.label)


def agent_words(agent: str) -> str:
    return _("nobody") if agent == NOBODY else agent


def sort_words() -> dict[Sort, str]:
    """Short texts for the three links above the list; the links' titles are longer."""
    return {
        Sort.NEWEST: pgettext("sort", "Newest"),
        Sort.WAITING: pgettext("sort", "Longest wait"),
        Sort.CLOSING: pgettext("sort", "Closing soonest"),
    }


def empty_words(listing: Listing) -> str:
    """Explains an empty list: nothing to do, or no matches."""
    if listing.is_filtered:
        return _("No results.")
    match listing.view:
        case View.MINE:
            return _(
                "Nothing is assigned to you. Conversations that you take from the queue appear "
                "here."
            )
        case View.UNASSIGNED:
            return _("Every open conversation has an agent.")
        case View.NEEDS_REPLY:
            return _("All answered. New messages appear here.")
        case View.NOT_SENT:
            return _(
                "All replies were sent. Replies that WeChat refuses or doesn't confirm appear here."
            )
        case View.MISSED:
            return _("No missed conversations.")
        case View.MENTIONS:
            return _("No unread mentions.")
        case View.SNOOZED:
            return _("Nothing is snoozed.")
        case View.RESOLVED:
            return _("Nothing is resolved yet.")
    return _("No messages yet. Messages from customers appear here.")
