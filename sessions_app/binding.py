"""Credentials of a scan and what binding them to a session changes, elsewhere too."""

import json
from dataclasses import asdict, dataclass

from django.utils import timezone

from sessions_app.models import (
    SENDING_STATES,
    Session,
    SessionEvent,
    SessionState,
    User,
)
from sessions_app.realtime import Change
from sessions_app.services import record_state


@dataclass(frozen=True, slots=True)
class Credentials:
    """`confirmed` of get_qrcode_status: bot_token, ilink_bot_id, baseurl, ilink_user_id."""

    token: str
    bot_id: str
    base_url: str
    user_id: str

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Credentials":
        return cls(**json.loads(text))


def bind(change: Change, session: Session, credentials: Credentials, *, who: User | None) -> None:
    """Give the session its new token, inside the caller's transaction.

    A new bot starts a new stream: the cursor is empty and older context tokens are void.
    """
    if session.bot_id != credentials.bot_id:
        session.contexts.all().delete()
    now = timezone.now()
    session.bot_id, session.owner_id = credentials.bot_id, credentials.user_id
    session.base_url, session.token = credentials.base_url, credentials.token
    session.cursor, session.hold_ms = "", 35_000
    session.generation += 1
    session.bound_at, session.last_poll_at = now, None
    session.errors_in_row, session.next_poll_at = 0, None
    session.gives_receipts = False
    session.lease_owner = ""
    session.save()
    SessionEvent.objects.create(
        session=session, kind=SessionEvent.Kind.BOUND, detail=credentials.bot_id[:400], who=who
    )
    record_state(change, session, SessionState.CONNECTING, who=who)
    _end_older_bindings(change, session)


def _end_older_bindings(change: Change, session: Session) -> None:
    """One WeChat account is bound to one bot at a time: its other sessions have ended."""
    if not session.owner_id:
        return
    older = Session.objects.filter(owner_id=session.owner_id, state__in=SENDING_STATES)
    for other in older.exclude(pk=session.pk):
        record_state(
            change, other, SessionState.EXPIRED, code="bound_elsewhere", detail=session.name
        )
