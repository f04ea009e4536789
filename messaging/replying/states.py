"""The state of a reply in words, and what an agent can do about it. No queries."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from messaging.delivering.throttle import THROTTLED
from messaging.models import Direction, Message, MessageKind, MessageStatus
from messaging.reply_window.reply_route import OVERRIDABLE
from messaging.replying.reasons import code_of, reason_of


@dataclass(frozen=True, slots=True)
class Action:
    """A button under a bubble. `url`: a name in the namespace `inbox`; `hint`: what it does."""

    url: str
    words: str
    label: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """`css`: a class of the bubble. `loud`: shown even inside a group of bubbles.

    `until`: when an undo ends. `jumps_to`: the message that the words refer to.
    """

    words: str = ""
    tone: str = ""
    css: str = ""
    actions: tuple[Action, ...] = ()
    loud: bool = False
    until: datetime | None = None
    jumps_to: int | None = None


def state_of(message: Message, *, contact_name: str, held_by: int | None = None) -> State:
    """`held_by`: the earlier reply that waits for a decision, if there is one."""
    if message.recalled_at is not None:
        return State(_("recalled by the sender"), css="is-cancelled", loud=True)
    if message.direction != Direction.OUT:
        return State()
    match message.status:
        case MessageStatus.QUEUED:
            return _held(held_by) if held_by is not None else _queued(message)
        case MessageStatus.SENDING:
            return State(_("sending…"), css="is-waiting")
        case MessageStatus.SENT:
            return State("" if message.sent_elsewhere else _("accepted by WeChat"))
        case MessageStatus.CANCELLED:
            undone = "is-undone" if message.release_at else "is-cancelled"
            return State(_("cancelled, not sent"), css=undone, loud=True)
        case MessageStatus.FAILED:
            return _failed(message)
        case MessageStatus.UNCONFIRMED:
            return _unconfirmed(message, contact_name)
    return State()


def _edit() -> Action:
    return Action("edit", _("Edit"), _("Edit: move this reply back into the composer"))


def _cancel() -> Action:
    return Action("cancel", _("Cancel"), _("Cancel this reply"))


def _held(held_by: int) -> State:
    words = _("waits for your decision about the reply above")
    return State(words, "warn", "is-waiting", (_edit(), _cancel()), loud=True, jumps_to=held_by)


def _queued(message: Message) -> State:
    if message.release_at is not None and message.release_at > timezone.now():
        undo = Action("edit", _("Undo"), _("Undo: move this reply back into the composer"))
        return State(_("sends in"), "", "is-waiting is-held", (undo,), True, message.release_at)
    words, actions = _("waiting to be sent"), (_edit(), _cancel())
    if message.error_code == "pace" and message.next_try_at is not None:
        at = date_format(timezone.localtime(message.next_try_at), "H:i")
        words = _("sends at %(time)s (WeChat's rate limit)") % {"time": at}
        now = Action("send_now", _("Send now"), _("Send now, despite WeChat's rate limit"))
        return State(words, "warn", "is-waiting", (now, *actions), loud=True)
    if message.error_code == THROTTLED and message.next_try_at is not None:
        at = date_format(timezone.localtime(message.next_try_at), "H:i")
        words = _("sends at %(time)s: %(reason)s") % {"time": at, "reason": reason_of(message)}
        now = Action("send_now", _("Send now"), _("Send now, although WeChat limits this account"))
        return State(words, "warn", "is-waiting", (now, *actions), loud=True)
    if message.error_code:
        reason = reason_of(message)
        words = _("not sent yet: %(reason)s") % {"reason": reason}
        if message.next_try_at is not None:
            at = date_format(timezone.localtime(message.next_try_at), "H:i:s")
            words = _("%(words)s; next try at %(time)s") % {"words": words, "time": at}
    return State(words, css="is-waiting", actions=actions, loud=True)


def _failed(message: Message) -> State:
    reason = reason_of(message)
    words = _("not sent: %(reason)s") % {"reason": reason}
    if not message.holds_queue:
        words = _("%(words)s · discarded") % {"words": words}
        return State(words, css="is-cancelled", loud=True)
    return State(words, "bad", "is-failed", _ways_out_of(message), loud=True)


def _ways_out_of(message: Message) -> tuple[Action, ...]:
    """The actions for a failed reply; a file cannot be parked."""
    ways = _ways_out(code_of(message))
    if message.kind == MessageKind.TEXT:
        return ways
    return tuple(one for one in ways if one.url != "park_message")


def _ways_out(code: str) -> tuple[Action, ...]:
    """The most useful action first. A text that WeChat cannot take is not offered unchanged."""
    again = Action("retry", _("Send again"), _("Send again: this reply"))
    anyway = Action("send_anyway", _("Send anyway"), _("Send anyway: this reply"))
    park = Action("park_message", _("Send when they write"), _("Send when they write: this reply"))
    discard = Action("discard", _("Discard"), _("Discard this reply"))
    if code == "text_too_long":
        return (_edit(), discard)
    if code in OVERRIDABLE:
        return (park, anyway, _edit(), discard)
    if code == "no_context":
        return (park, _edit(), discard)
    if code == "session_offline":
        return (again, park, _edit(), discard)
    return (again, _edit(), discard)


def _unconfirmed(message: Message, contact_name: str) -> State:
    twice = _("%(name)s may get it twice") % {"name": contact_name}
    actions = (
        Action("retry", _("Send again"), _("Send again: this reply may arrive twice"), twice),
        Action("arrived", _("It arrived"), _("It arrived: this reply")),
    )
    if message.missing_receipt:
        words = _("WeChat accepted it but gave no receipt. It may not have arrived.")
        return State(words, "", "is-broken", actions, loud=True)
    if message.error_code == "no_id":  # usual for this session, so its actions stay hidden
        words = _("accepted, no receipt: it may not have arrived")
        return State(words, "", "is-quiet", actions)
    words = _broken_words(message.error_code)
    if not message.holds_queue:
        return State(words, "warn", loud=True)
    return State(words, "warn", "is-broken", actions, loud=True)


def _broken_words(code: str) -> str:
    if code == "worker_lost":
        return _("The worker stopped while sending. The reply may have arrived.")
    if code == "restored":
        return _(
            "It waited or was being sent when this data was copied or backed up. "
            "It may have arrived."
        )
    return _("The connection broke while sending. The reply may have arrived.")
