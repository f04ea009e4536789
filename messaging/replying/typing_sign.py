"""The “typing …” sign on the contact's phone: pages and the API ask for it, the worker shows it.

This module only reads and writes rows; `typing_supervisor` calls WeChat. Pages renew the sign every
few seconds. Once WeChat was told to show a sign, the request to end it is repeated until WeChat
accepts it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from messaging.models import Conversation, Typing
from sessions_app.database.encryption import DecryptionError, decrypt
from sessions_app.database.waits import has_come, is_over
from sessions_app.models import Context
from sessions_app.realtime.streams import wake_workers

WANTED_FOR = timedelta(seconds=6)
"""Without a renewal the sign ends after this time; pages renew every 3 s."""
SHOWN_EVERY = timedelta(seconds=5)
"""WeChat is told again at most this often, to limit the rate of calls for one contact."""
STOP_PAUSES = (timedelta(seconds=2), timedelta(seconds=2), timedelta(seconds=5))
"""Pauses after the first attempts to end a sign. Every later one lasts `LONG_STOP_PAUSE`."""
LONG_STOP_PAUSE = timedelta(seconds=30)
STOPPED_FOR = timedelta(hours=1)
"""No more attempts after this time; a sign that is still shown cannot be ended."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One call to make: show the sign (`on`) or end it. `pk`: the row that asks for it."""

    pk: int
    session_id: int
    generation: int
    base_url: str
    bot_token: str
    user_id: str
    context_token: str
    on: bool


def show(conversation: Conversation, session_id: int) -> None:
    """Show that somebody types to this contact through this session; ends other sessions' signs."""
    now = timezone.now()
    known = Typing.objects.filter(conversation=conversation)
    known.exclude(session=session_id).filter(wanted_until__gt=now).update(wanted_until=now)
    # WeChat may have ended the sign by now, so tell it at once instead of after 5 s.
    known.filter(session=session_id, stop_tries__gt=0).update(shown_at=now - SHOWN_EVERY)
    wanted = {"wanted_until": now + WANTED_FOR, "next_stop_at": None, "stop_tries": 0}
    _row, is_new = Typing.objects.update_or_create(
        conversation=conversation, session_id=session_id, defaults=wanted
    )
    if is_new:
        wake_workers()


def stop(conversation: Conversation) -> None:
    """Nobody types any more: the reply was sent, the text was cleared, or the page was left."""
    wanted = Typing.objects.filter(conversation=conversation, wanted_until__gt=timezone.now())
    if wanted.update(wanted_until=timezone.now()):
        wake_workers()


def claim_due(
    now: datetime,
    *,
    busy: set[int] | None = None,
    limit: int = 100,
    stop_pauses: Sequence[timedelta] = STOP_PAUSES,
) -> list[Sign]:
    """Claim the calls to make now. `busy`: rows whose last call is still in progress."""
    over = has_come("wanted_until", now) & has_come("next_stop_at", now)
    stale = Q(wanted_until__gt=now) & (Q(shown_at=None) | Q(shown_at__lte=now - SHOWN_EVERY))
    rows = Typing.objects.filter(over | stale).exclude(pk__in=busy or set())
    signs = []
    for row in rows.select_related("session", "conversation__contact").order_by("pk")[:limit]:
        ends = is_over(row.wanted_until, now)
        is_mine = _claim_stop(row, now, stop_pauses) if ends else _claim_show(row, now)
        if not is_mine:
            continue
        sign = _sign(row, on=not ends)
        if sign is not None:
            signs.append(sign)
        elif ends:
            row.delete()  # signed out: WeChat accepts no call for this session
    return signs


def _claim_show(row: Typing, now: datetime) -> bool:
    unclaimed = Typing.objects.filter(pk=row.pk, shown_at=row.shown_at)
    return bool(unclaimed.update(shown_at=now))


def _claim_stop(row: Typing, now: datetime, pauses: Sequence[timedelta]) -> bool:
    """Schedule the next attempt before this one. Deletes rows that need no further call."""
    unclaimed = Typing.objects.filter(
        pk=row.pk, wanted_until=row.wanted_until, stop_tries=row.stop_tries
    )
    if row.shown_at is None or now - row.wanted_until > STOPPED_FOR:
        unclaimed.delete()
        return False
    tries = row.stop_tries
    pause = pauses[tries] if tries < len(pauses) else LONG_STOP_PAUSE
    return bool(unclaimed.update(next_stop_at=now + pause, stop_tries=tries + 1))


def stopped(sign: Sign) -> None:
    """WeChat has accepted that the sign is off. A row that was renewed meanwhile stays."""
    Typing.objects.filter(pk=sign.pk, stop_tries__gt=0).delete()


def _sign(row: Typing, *, on: bool) -> Sign | None:
    """None if WeChat can't be told: the session is signed out, or a token can't be decrypted."""
    session, user_id = row.session, row.conversation.contact.user_id
    context = Context.objects.filter(session=session, user_id=user_id).first()
    if context is None or not context.encrypted_token or not session.may_send:
        return None
    try:
        bot_token, context_token = session.token, decrypt(context.encrypted_token)
    except DecryptionError:
        return None
    return Sign(
        row.pk,
        session.pk,
        session.generation,
        session.base_url,
        bot_token,
        user_id,
        context_token,
        on,
    )
