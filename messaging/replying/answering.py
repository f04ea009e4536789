"""Which account the next reply will use, and the notice if it differs from the one seen before.

Reads at most the one account that a page saw before. It only describes; the rule that chooses is
in `sessions_app.sessions.routing`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from messaging.models import Conversation
from messaging.reply_window.reply_route import STOOD_IN_FOR
from messaging.reply_window.routes import candidate
from messaging.replying.queries import ReplyQuota
from sessions_app.models import Context, Session, SessionState
from sessions_app.templatetags.console import clock_or_day
from sessions_app.text.unseen import apart


@dataclass(frozen=True, slots=True)
class Answering:
    """`quota`: of the account on the Send button. `notice`: why it is that account.

    `known`: the account by the route alone; a page that remembers none counts it as seen.
    `stands_in`: the newest account cannot send, so the button names the next one that can.
    """

    quota: ReplyQuota
    known: Session | None
    notice: str = ""

    @property
    def session(self) -> Session | None:
        return self.quota.session

    @property
    def stands_in(self) -> bool:
        return self.session != self.known


def answering(
    conversation: Conversation,
    quota: ReplyQuota,
    known: Sequence[Context],
    *,
    seen: int | None = None,
) -> Answering:
    """`known`: the contact's contexts. `seen`: the account that the reader last saw."""
    spoken, speaker = quota, _context_of(quota, known)
    if quota.code in STOOD_IN_FOR and quota.offer:
        speaker = next(one for one in known if one.session.name == quota.offer[0])
        spoken = _quota_of(speaker, quota)
    if seen is None and quota.session is not None:
        seen = quota.session.pk
    if spoken.session is None or seen == spoken.session.pk:
        return Answering(spoken, quota.session)
    before = _session_of(seen, conversation, known)
    notice = _notice(conversation, quota, before, spoken.session, speaker)
    return Answering(spoken, quota.session, notice)


def _context_of(quota: ReplyQuota, known: Sequence[Context]) -> Context | None:
    return next((one for one in known if one.session == quota.session), None)


def _quota_of(context: Context, quota: ReplyQuota) -> ReplyQuota:
    """The quota of an account that stands in for the newest one."""
    seen = candidate(context)
    return replace(
        quota,
        session=context.session,
        usable=True,
        code="",
        closes_at=seen.closes_at(),
        replies_left=seen.replies_left(),
        offer=[name for name in quota.offer if name != context.session.name],
        refused_at=context.refused_at,
    )


def _session_of(
    pk: int | None, conversation: Conversation, known: Sequence[Context]
) -> Session | None:
    for one in known:
        if one.session_id == pk:
            return one.session
    return Session.objects.filter(pk=pk or 0, team=conversation.home_team_id).first()


def _notice(
    conversation: Conversation,
    quota: ReplyQuota,
    before: Session | None,
    now: Session,
    context: Context | None,
) -> str:
    """First what happened, then which account will send."""
    silent = [quota.session, before]
    for one in silent:
        if one is not None and one != now and not one.may_send:
            return _silent_words(one) % {"before": one.name, "now": now.name}
    if context is None:
        return _("This will be sent from %(now)s.") % {"now": now.name}
    return _("%(person)s wrote to %(now)s at %(time)s; this will be sent from %(now)s") % {
        "person": apart(conversation.contact_name),
        "now": now.name,
        "time": clock_or_day(context.received_at),
    }


def _silent_words(session: Session) -> str:
    if session.state == SessionState.EXPIRED:
        return _("%(before)s is signed out; this will be sent from %(now)s")
    return _("%(before)s was logged out; this will be sent from %(now)s")
