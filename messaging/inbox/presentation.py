"""What bubbles and the composer show: previews, states of replies, days and groups.

Works on rows that are already loaded; runs no queries.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from messaging.conversations.event_words import SAYS_TIME, event_sentence, undone_sentence
from messaging.media.showing import Media, kind_words, media_lines
from messaging.models import ELSEWHERE, Conversation, Direction, Message, MessageKind
from messaging.reply_window.reply_route import OVERRIDABLE
from messaging.replying import reasons
from messaging.replying.queries import SHOWN_CHARACTERS, ReplyQuota
from messaging.replying.states import State, state_of
from messaging.text import rich_text
from sessions_app.text.unseen import apart, visible


def preview(conversation: Conversation) -> str:
    """The last message in one line; media by kind, such as “Picture” or “Voice 0:07”."""
    if conversation.last_kind == ELSEWHERE:
        came_in = conversation.last_direction == Direction.IN
        return _("Another program received a message") if came_in else _("Another program answered")
    words = kind_words(conversation.last_kind)
    text = rich_text.in_one_line(
        visible(" ".join(conversation.last_text.split()), keeps_lines=True)
    )
    if conversation.last_kind == MessageKind.FILE:
        text = visible(conversation.last_text)
    if not words:
        return text
    kind, _space, rest = text.partition(" ")
    if kind in MessageKind.values:
        return f"{words} {rest}" if rest[:1].isdigit() else words
    return f"{words} · {text}" if text else words


@dataclass(frozen=True, slots=True)
class Quote:
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message as the conversation shows it.

    `group`: neighbouring bubbles with the same value belong together. `lines`: set if the text is
    too long to show unfolded; `is_cut`: set if its end is not on the page at all. `sentence`:
    for an event, or for a reply that its writer took back, which is shown as a line instead of
    a bubble; `says_time`: the sentence contains the time. `jumps_to`: the quoted message.
    """

    message: Message
    ours: bool
    who: str
    state: State
    media: list[Media]
    quote: Quote | None
    day: date
    day_words: str
    group: str
    text_html: SafeString = field(default=SafeString(""))
    lines: int = 0
    is_cut: bool = False
    sentence: str = ""
    says_time: bool = False
    jumps_to: int | None = None
    opens_day: bool = field(default=False)
    continues: bool = field(default=False)

    @property
    def key(self) -> str:
        return key_of(self.message.pk)

    @property
    def is_picture(self) -> bool:
        """True if a picture is the only content, so that it needs no frame."""
        forms = [one.form for one in self.media]
        return forms == ["picture"] and not self.text_html and self.quote is None


def key_of(message_id: int) -> str:
    """Sorts in the order of ids, as text."""
    return f"{message_id:019d}"


def bubbles(
    messages: Iterable[Message], *, contact_name: str, holders: Sequence[int] = ()
) -> list[Bubble]:
    """Build bubbles, oldest first, marking new days and grouping neighbours.

    `holders`: ids of replies in this conversation that hold later ones, in order.
    """
    made: list[Bubble] = []
    for message in messages:
        held_by = next((pk for pk in reversed(holders) if pk < message.pk), None)
        made.append(_bubble(message, made[-1] if made else None, contact_name, held_by))
    return made


def _bubble(message: Message, before: Bubble | None, contact: str, held_by: int | None) -> Bubble:
    ours = message.direction == Direction.OUT
    local = timezone.localtime(message.created_at)
    who = _author(message, contact)
    state = state_of(message, contact_name=apart(contact), held_by=held_by)
    group = f"{message.direction}/{message.sent_by_id or 0}/{message.session_id}/{local:%Y%m%d%H%M}"
    opens_day = before is None or before.day != local.date()
    text = message.text_shown[:SHOWN_CHARACTERS]
    return Bubble(
        message=message,
        ours=ours,
        who=who,
        state=state,
        media=media_lines(message, apart(contact)),
        quote=_quote(message, contact),
        day=local.date(),
        day_words=day_words(local.date(), today=timezone.localdate()),
        group=group,
        text_html=rich_text.shown(text, names=message.direction == Direction.NOTE),
        lines=rich_text.folded_lines(text),
        is_cut=len(message.text_shown) > SHOWN_CHARACTERS,
        sentence=_sentence(message, state),
        says_time=message.event in SAYS_TIME,
        jumps_to=message.quote_of_id,
        opens_day=opens_day,
        continues=not opens_day and before is not None and before.group == group,
    )


def _sentence(message: Message, state: State) -> str:
    if message.direction == Direction.EVENT:
        return event_sentence(message)
    return undone_sentence(message) if state.css == "is-undone" else ""


def _author(message: Message, contact: str) -> str:
    if message.direction == Direction.IN:
        return contact
    if message.sent_elsewhere:
        return _("Another program")
    return message.sent_by.display_name if message.sent_by else ""


def day_words(day: date, *, today: date) -> str:
    if day == today:
        return _("Today")
    if day == today - timedelta(days=1):
        return _("Yesterday")
    if day.year == today.year:
        return date_format(day, pgettext("day of a thread", "l, j F"))
    return date_format(day, pgettext("day of a thread, with year", "l, j F Y"))


def _quote(message: Message, contact: str) -> Quote | None:
    quoted = message.quote_of
    if quoted is None:
        return Quote("", _seen(message.quote_shown)) if message.quote_shown else None
    text = _seen(message.quote_shown or message.quoted_shown or "") or kind_words(quoted.kind)
    return Quote(_("You") if quoted.direction == Direction.OUT else contact, text)


def _seen(text: str) -> str:
    return visible(text, keeps_lines=True)


@dataclass(frozen=True, slots=True)
class Closed:
    """Why a reply should not be sent now. `override`: only our own count says so.

    `park`: the reply may be parked until the contact writes. `insist`: somebody answered (up to
    `seen_up_to`) while it was written, but it may be sent all the same.
    """

    sentence: str
    offer: list[str]
    override: bool
    park: bool = False
    insist: bool = False
    seen_up_to: int | None = None


PARKABLE = frozenset({"window_closed", "quota_exhausted", "no_context", "session_offline"})


def closed(quota: ReplyQuota, *, contact_name: str) -> Closed | None:
    if quota.usable:
        return None
    name = quota.session.name if quota.session else ""
    sentence = reasons.refusal(quota.code, name)
    if quota.code == "window_closed" and quota.closes_at is not None:
        at = date_format(timezone.localtime(quota.closes_at), pgettext("closing time", "D H:i"))
        sentence = _(
            "Closed %(time)s. WeChat silently drops later replies. You can reply again "
            "when %(name)s writes."
        ) % {"time": at, "name": apart(contact_name)}
    parks = quota.code in PARKABLE
    return Closed(sentence, quota.offer, quota.code in OVERRIDABLE, park=parks)
