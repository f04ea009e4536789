"""What bubbles and the composer say: previews, honest states, days and groups.

Pure: works on rows already read, never queries, never guesses what the rows do not say.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from messaging import reasons, rich_text
from messaging.event_words import SAYS_TIME, event_sentence, undone_sentence
from messaging.media.showing import Media, kind_words, media_lines
from messaging.models import ELSEWHERE, Conversation, Direction, Message, MessageKind
from messaging.queries import ReplyBudget
from messaging.reply_route import OVERRIDABLE
from messaging.states import State, state_of


def preview(conversation: Conversation) -> str:
    """The last message in one line, media by their kind: “Picture”, “Voice 0:07”."""
    if conversation.last_kind == ELSEWHERE:
        came_in = conversation.last_direction == Direction.IN
        return _("Another program received a message") if came_in else _("Another program answered")
    words = kind_words(conversation.last_kind)
    text = rich_text.in_one_line(" ".join(conversation.last_text.split()))
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
    """One message as the thread shows it.

    `group`: bubbles with the same one, one after the other, belong together. `sentence`: of an
    event, or of a reply that its writer took back: a line and no bubble; `says_time`: it
    stands in the sentence. `jumps_to`: the message that it quotes.
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
    sentence: str = ""
    says_time: bool = False
    jumps_to: int | None = None
    opens_day: bool = field(default=False)
    continues: bool = field(default=False)

    @property
    def key(self) -> str:
        return f"{self.message.pk:019d}"

    @property
    def is_picture(self) -> bool:
        """One picture and nothing else: the bubble is its frame."""
        forms = [one.form for one in self.media]
        return forms == ["picture"] and not self.message.text and self.quote is None


def bubbles(messages: Iterable[Message], *, contact_name: str) -> list[Bubble]:
    """Oldest first, with days opened and neighbours grouped."""
    made: list[Bubble] = []
    for message in messages:
        made.append(_bubble(message, made[-1] if made else None, contact_name))
    return made


def _bubble(message: Message, before: Bubble | None, contact: str) -> Bubble:
    ours = message.direction == Direction.OUT
    local = timezone.localtime(message.created_at)
    who = _author(message, contact)
    state = state_of(message, contact_name=contact)
    group = f"{message.direction}/{message.sent_by_id or 0}/{message.session_id}/{local:%Y%m%d%H%M}"
    opens_day = before is None or before.day != local.date()
    return Bubble(
        message=message,
        ours=ours,
        who=who,
        state=state,
        media=media_lines(message),
        quote=_quote(message, contact),
        day=local.date(),
        day_words=day_words(local.date(), today=timezone.localdate()),
        group=group,
        text_html=rich_text.shown(message.text, names=message.direction == Direction.NOTE),
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
        return Quote("", message.quote_text) if message.quote_text else None
    text = message.quote_text or quoted.text or kind_words(quoted.kind)
    return Quote(_("You") if quoted.direction == Direction.OUT else contact, text)


@dataclass(frozen=True, slots=True)
class Closed:
    """Why nothing should go now. `override`: our own count says so, and may be overruled.

    `park`: it may wait until the person writes. `insist`: somebody answered (up to `seen_up_to`)
    while this was written, and the agent may send all the same.
    """

    sentence: str
    offer: list[str]
    override: bool
    park: bool = False
    insist: bool = False
    seen_up_to: int | None = None


PARKABLE = frozenset({"window_closed", "quota_exhausted", "no_context", "session_offline"})


def closed(budget: ReplyBudget, *, contact_name: str) -> Closed | None:
    if budget.usable:
        return None
    name = budget.session.name if budget.session else ""
    sentence = reasons.refusal(budget.code, name)
    if budget.code == "window_closed" and budget.closes_at is not None:
        at = date_format(timezone.localtime(budget.closes_at), pgettext("closing time", "D H:i"))
        sentence = _(
            "Closed %(time)s. WeChat drops later replies without telling. "
            "Opens when %(name)s writes."
        ) % {"time": at, "name": contact_name}
    parks = budget.code in PARKABLE
    return Closed(sentence, budget.offer, budget.code in OVERRIDABLE, park=parks)


def until_words(closes_at: datetime) -> str:
    """“Tue 14:32”."""
    return date_format(timezone.localtime(closes_at), pgettext("closing time", "D H:i"))


def left_words(seconds: int) -> str:
    """“21 h 04 min”; the page counts on from it."""
    if seconds < 60:
        return _("less than a minute")
    hours, minutes = divmod(seconds // 60, 60)
    if hours:
        return _("%(hours)d h %(minutes)02d min") % {"hours": hours, "minutes": minutes}
    return _("%(minutes)d min") % {"minutes": minutes}


def about_words(seconds: int) -> str:
    """“about 5 h”; under an hour to the minute."""
    if seconds < 3_600:
        return left_words(seconds)
    return _("about %(hours)d h") % {"hours": round(seconds / 3_600)}
