"""“Typing …” on the customer's phone: pages and the API want it, the worker shows and ends it.

Rows only; WeChat is called by `typing_desk`. Whoever wants it renews it every few seconds.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from messaging.models import Conversation, Typing
from sessions_app.models import Context
from sessions_app.realtime import wake_workers
from sessions_app.sealed import SealedError, unseal

WANTED_FOR = timedelta(seconds=6)
"""Without a renewal it ends; pages renew every 3 s."""
SHOWN_EVERY = timedelta(seconds=5)
"""WeChat is told again at most so often: the rate towards one person is bounded."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One call to make: show it (`on`) or end it."""

    session_id: int
    generation: int
    base_url: str
    bot_token: str
    user_id: str
    context_token: str
    on: bool


def show(conversation: Conversation, session_id: int) -> None:
    """Somebody types to this person through this session."""
    wanted = {"session_id": session_id, "wanted_until": timezone.now() + WANTED_FOR}
    _row, is_new = Typing.objects.update_or_create(conversation=conversation, defaults=wanted)
    if is_new:
        wake_workers()


def stop(conversation: Conversation) -> None:
    """Nobody types any more: sent, cleared, left."""
    wanted = Typing.objects.filter(conversation=conversation, wanted_until__gt=timezone.now())
    if wanted.update(wanted_until=timezone.now()):
        wake_workers()


def claim_due(now: datetime, *, limit: int = 100) -> list[Sign]:
    """What WeChat is to be told now; each is written down as told before it is returned."""
    over = Q(wanted_until__lte=now)
    stale = Q(shown_at=None) | Q(shown_at__lte=now - SHOWN_EVERY)
    rows = Typing.objects.filter(over | stale).select_related("session", "conversation__contact")
    signs = []
    for row in rows.order_by("pk")[:limit]:
        if row.wanted_until <= now:
            mine = Typing.objects.filter(pk=row.pk, wanted_until=row.wanted_until).delete()[0]
            wanted = bool(mine) and row.shown_at is not None
        else:
            mine = Typing.objects.filter(pk=row.pk, shown_at=row.shown_at).update(shown_at=now)
            wanted = bool(mine)
        if wanted and (sign := _sign(row, on=row.wanted_until > now)):
            signs.append(sign)
    return signs


def _sign(row: Typing, *, on: bool) -> Sign | None:
    """None where nothing can be shown: signed out, or a token that cannot be read."""
    session, user_id = row.session, row.conversation.contact.user_id
    context = Context.objects.filter(session=session, user_id=user_id).first()
    if context is None or not context.sealed_token or not session.may_send:
        return None
    try:
        bot_token, context_token = session.token, unseal(context.sealed_token)
    except SealedError:
        return None
    return Sign(
        session.pk, session.generation, session.base_url, bot_token, user_id, context_token, on
    )
