"""Binds the credentials of a confirmed scan to a session, and ends the sessions it replaces."""

import json
from dataclasses import asdict, dataclass

from django.db.models import Q
from django.utils import timezone

from sessions_app.models import (
    SENDING_STATES,
    Session,
    SessionEvent,
    SessionState,
    User,
)
from sessions_app.realtime.streams import Change
from sessions_app.recording.actions import Action
from sessions_app.recording.record import record
from sessions_app.sessions.services import (
    BOUND_ELSEWHERE,
    EVIDENCE,
    forget_evidence,
    lock,
    note_state,
    record_state,
    subject_of,
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials in a `confirmed` answer to get_qrcode_status.

    Their wire names are bot_token, ilink_bot_id, baseurl and ilink_user_id.
    """

    token: str
    bot_id: str
    base_url: str
    user_id: str

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Credentials":
        return cls(**json.loads(text))


def bind(
    change: Change,
    session: Session,
    credentials: Credentials,
    *,
    who: User | None,
    from_folder: bool = False,
) -> None:
    """Give the session its new token, inside the caller's transaction.

    A new bot has a new message stream: the cursor is reset and older context tokens are dropped.
    `from_folder`: another program made the scan, and the token arrived through the shared folder.
    """
    living, ended = _lock_bindings(session, credentials.user_id)
    if session.bot_id != credentials.bot_id:
        session.contexts.all().delete()
    now = timezone.now()
    session.bot_id, session.owner_id = credentials.bot_id, credentials.user_id
    session.base_url, session.token = credentials.base_url, credentials.token
    session.cursor, session.hold_ms = "", 35_000
    session.generation += 1
    session.bound_at, session.last_poll_at = now, None
    forget_evidence(session)
    session.gives_receipts = False
    session.lease_owner = ""
    # Update only these fields, so that a concurrent rename is not overwritten.
    session.save(
        update_fields=[
            "bot_id", "owner_id", "base_url", "encrypted_token", "cursor", "hold_ms", "generation",
            "bound_at", "last_poll_at", "gives_receipts", "lease_owner", *EVIDENCE,
        ]
    )  # fmt: skip
    SessionEvent.objects.create(
        session=session,
        kind=SessionEvent.Kind.BOUND,
        code="elsewhere" if from_folder else "",
        detail=credentials.bot_id[:400],
        who=who,
    )
    record(Action.SESSION_CONNECTED, subject_of(session), user=who, bot=credentials.bot_id)
    record_state(change, session, SessionState.CONNECTING, who=who)
    # WeChat binds an account to one bot at a time, so its other sessions have ended.
    for other in living:
        name = _name_for(other, session)
        record_state(change, other, SessionState.EXPIRED, code=BOUND_ELSEWHERE, detail=name)
    for other in ended:
        _record_bound_elsewhere(change, other, _name_for(other, session))


def _name_for(other: Session, session: Session) -> str:
    """The new session's name as the other's team may know it: "" if it is in another team."""
    return session.name if other.team_id == session.team_id else ""


def _record_bound_elsewhere(change: Change, ended: Session, name: str) -> None:
    """Record as the reason why `ended` was signed out that a session of this name was bound.

    WeChat ends the older binding before it confirms the newer one, so the reason is known only now.
    """
    if (ended.error_code, ended.error_detail) == (BOUND_ELSEWHERE, name):
        return
    note_state(ended, SessionState.EXPIRED, code=BOUND_ELSEWHERE, detail=name)
    record_state(change, ended, SessionState.EXPIRED, code=BOUND_ELSEWHERE, detail=name)


def _lock_bindings(session: Session, owner_id: str) -> tuple[list[Session], list[Session]]:
    """Lock the session (reloaded) and the account's other sessions.

    Returns (living, ended) others.
    """
    wanted = Q(pk=session.pk)
    if owner_id:
        found = (*SENDING_STATES, SessionState.EXPIRED)
        wanted |= Q(owner_id=owner_id, state__in=found, deleted_at=None)
    rows = list(Session.objects.select_for_update(no_key=True).filter(wanted).order_by("pk"))
    lock(session)
    others = [row for row in rows if row.pk != session.pk]
    living = [row for row in others if row.state in SENDING_STATES]
    return living, [row for row in others if row.state == SessionState.EXPIRED]
