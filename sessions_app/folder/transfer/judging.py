"""Decides whether, and how, a session of the folder may be imported. Reads rows, writes nothing."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import QuerySet

from sessions_app.database.encryption import DecryptionError
from sessions_app.folder.store import StoredToken
from sessions_app.models import SENDING_STATES, Session
from sessions_app.sessions import names


class Action(StrEnum):
    ADD = "add"  # there is no session of that name here
    CONNECT = "connect"  # the session here is logged out, or was signed out by WeChat
    REPLACE = "replace"  # the session here is connected, and `replace` was requested
    REFRESH = "refresh"  # the session here has the same credentials
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`sentence`: why the session is left out, or "". `session`: the row that was judged."""

    action: Action
    session: Session | None = None
    sentence: str = ""


def left(sentence: str) -> Verdict:
    return Verdict(Action.LEAVE, None, sentence)


def verdict(name: str, token: StoredToken, *, replace: bool) -> Verdict:
    """Judge by the rows as they are now."""
    here = Session.objects.filter(deleted_at=None)
    row = here.filter(name_key=names.name_key(name)).first()
    if row is not None and _token_of(row) == token.token:
        return Verdict(Action.REFRESH, row)
    others = here.exclude(pk=row.pk) if row else here
    twin = others.filter(bot_id=token.bot_id).exclude(encrypted_token="").first()
    if twin is not None:
        return left(f"“{twin.name}” here holds the same bot; log it out here first.")
    if later := _bound_later(others, token):
        return left(f"“{later.name}” here belongs to the same WeChat account by a later scan.")
    return _judge_existing(row, replace=replace) if row else Verdict(Action.ADD)


def _bound_later(others: QuerySet[Session], token: StoredToken) -> Session | None:
    """A session with a later binding of the account. WeChat ended the older one."""
    if not token.user_id:
        return None
    living = others.filter(owner_id=token.user_id, state__in=SENDING_STATES)
    bound = (one for one in living.exclude(encrypted_token="") if one.bound_at)
    return next((one for one in bound if _seconds(one.bound_at) > token.created_at_s), None)


def _seconds(at: datetime | None) -> float:
    return at.timestamp() if at else 0.0


def _judge_existing(row: Session, *, replace: bool) -> Verdict:
    """Whether the folder's credentials may replace this row's."""
    if not row.encrypted_token:
        return Verdict(Action.CONNECT, row)
    if replace:
        return Verdict(Action.REPLACE, row)
    if _token_of(row) is None:
        return left(
            f"“{row.name}” here has a token that WEILINK_CREDENTIAL_KEYS cannot read; "
            "--replace takes the folder's."
        )
    if row.state in SENDING_STATES:
        return left(f"“{row.name}” is connected here; --replace takes the folder's.")
    return Verdict(Action.CONNECT, row)


def _token_of(row: Session) -> str | None:
    try:
        return row.token
    except DecryptionError:
        return None
