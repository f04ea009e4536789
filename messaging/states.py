"""The honest state of a reply in words, and what an agent can do about it. Pure."""

from dataclasses import dataclass

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from messaging.models import Direction, Message, MessageStatus
from messaging.reply_route import OVERRIDABLE
from sessions_app import reasons


@dataclass(frozen=True, slots=True)
class Action:
    """A button under a bubble. `url`: the name in the namespace `inbox`; `hint`: what follows."""

    url: str
    words: str
    label: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """`css`: a class of the bubble. `loud`: shown even inside a group of bubbles."""

    words: str = ""
    tone: str = ""
    css: str = ""
    actions: tuple[Action, ...] = ()
    loud: bool = False


def state_of(message: Message, *, contact_name: str) -> State:
    if message.recalled_at is not None:
        return State(_("taken back by the writer"), css="is-cancelled", loud=True)
    if message.direction != Direction.OUT:
        return State()
    match message.status:
        case MessageStatus.QUEUED:
            return _queued(message)
        case MessageStatus.SENDING:
            return State(_("sending…"), css="is-waiting")
        case MessageStatus.SENT:
            return State(_("taken by WeChat"))
        case MessageStatus.CANCELLED:
            return State(_("cancelled, not sent"), css="is-cancelled", loud=True)
        case MessageStatus.FAILED:
            return _failed(message)
        case MessageStatus.UNCONFIRMED:
            return _unconfirmed(message, contact_name)
    return State()


def _queued(message: Message) -> State:
    cancel = Action("cancel", _("Cancel"), _("Cancel this reply"))
    words = _("waiting to be sent")
    if message.error_code:
        reason = reasons.sentence(message.error_code, message.error_detail)
        words = _("not sent yet: %(reason)s") % {"reason": reason}
        if message.next_try_at is not None:
            at = date_format(timezone.localtime(message.next_try_at), "H:i:s")
            words = _("%(words)s; next try at %(time)s") % {"words": words, "time": at}
    return State(words, css="is-waiting", actions=(cancel,), loud=True)


def _failed(message: Message) -> State:
    reason = reasons.sentence(message.error_code or "no_reason", message.error_detail)
    words = _("not sent: %(reason)s") % {"reason": reason}
    if not message.holds_queue:
        words = _("%(words)s · discarded") % {"words": words}
        return State(words, css="is-cancelled", loud=True)
    if message.error_code in OVERRIDABLE:
        again = Action("send_anyway", _("Send anyway"), _("Send this reply anyway"))
    else:
        again = Action("retry", _("Send again"), _("Send this reply again"))
    discard = Action("discard", _("Discard"), _("Discard this reply"))
    return State(words, "bad", "is-failed", (again, discard), loud=True)


def _unconfirmed(message: Message, contact_name: str) -> State:
    if message.error_code == "no_id":
        # A missing receipt says something only where receipts are usual.
        unusual = message.session.gives_receipts
        return State(_("taken, no receipt"), "warn" if unusual else "", loud=unusual)
    words = _broken_words(message.error_code)
    if not message.holds_queue:
        return State(words, "warn", loud=True)
    twice = _("%(name)s may get it twice") % {"name": contact_name}
    actions = (
        Action("retry", _("Send again"), _("Send this reply again; it may arrive twice"), twice),
        Action("arrived", _("It arrived"), _("This reply arrived")),
    )
    return State(words, "warn", "is-broken", actions, loud=True)


def _broken_words(code: str) -> str:
    if code == "worker_lost":
        return _("The worker stopped while sending. It may have arrived.")
    if code == "restored":
        return _("Restored from a backup while sending. It may have arrived.")
    return _("The line broke while sending. It may have arrived.")
