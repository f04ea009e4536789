"""Creates, recognises and revokes API tokens. A secret is shown once; only its digest is stored.

A token never allows more than its owner may do at this moment. Nothing here checks objects.

IssueRefused      a token that its owner asked for cannot be made
├── NameTaken     another living token of the owner has this name
└── TooMany       the owner has MOST_TOKENS already
"""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from sessions_app.people.models import ApiToken, User
from sessions_app.people.roles import Capability, may
from sessions_app.recording.actions import Action, Kind
from sessions_app.recording.record import Subject, record, record_all

PREFIX = "wlk_"
SECRET_BYTES = 32
USE_NOTED_EVERY = timedelta(minutes=1)
MOST_TOKENS = 50
"""That one user may make at `/account/`."""


class Scope(StrEnum):
    """What a token may be used for. A token without scopes allows everything its owner may do."""

    READ = "read"
    SEND = "send"
    SESSIONS = "sessions"
    CONTACTS = "contacts"
    METRICS = "metrics"


_NEEDS: dict[Scope, tuple[Capability, ...]] = {
    Scope.READ: (Capability.READ_CONVERSATIONS, Capability.SEE_BOARD),
    Scope.SEND: (Capability.ANSWER,),
    Scope.SESSIONS: (Capability.MANAGE_SESSIONS,),
    Scope.CONTACTS: (Capability.ANSWER,),
    Scope.METRICS: (Capability.SEE_BOARD,),
}
"""Without any of these capabilities a scope opens nothing."""


class TokenState(StrEnum):
    LIVING = "living"
    EXPIRED = "expired"
    REVOKED = "revoked"
    OWNER_DISABLED = "owner disabled"


class UnknownScope(ValueError):  # noqa: N818 - reads as a statement
    """A scope does not exist. The message lists those that do."""


class IssueRefused(Exception):  # noqa: N818 - reads as a statement
    """A token that its owner asked for cannot be made."""


class NameTaken(IssueRefused):
    """Another living token of the owner has this name."""


class TooMany(IssueRefused):
    """The owner has as many tokens as a user may make."""


def scopes_for(user: User) -> list[Scope]:
    """The scopes with which a token of this user can do anything."""
    return [scope for scope, needs in _NEEDS.items() if any(may(user, one) for one in needs)]


def kept_tokens(user: User) -> QuerySet[ApiToken]:
    """The tokens of a user that were not revoked, expired ones too, newest first."""
    return user.api_tokens.filter(revoked_at=None).order_by("-created_at", "-pk")


def issue_own_token(
    *, owner: User, name: str, scopes: Iterable[str], days: int | None
) -> tuple[ApiToken, str]:
    """Create a token that its owner asks for. `days`: how long it is valid; None: until revoked.

    A form that is sent twice makes one token, because names are unique. Raises IssueRefused.
    """
    with transaction.atomic():
        User.objects.select_for_update().get(pk=owner.pk)
        kept = kept_tokens(owner)
        if kept.filter(name=name).exists():
            raise NameTaken
        if kept.count() >= MOST_TOKENS:
            raise TooMany
        expires_at = timezone.now() + timedelta(days=days) if days else None
        return issue_token(owner=owner, name=name, scopes=scopes, expires_at=expires_at)


def issue_token(
    *,
    owner: User,
    name: str,
    scopes: Iterable[str] = (),
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """Create a token. Returns the row and the secret, which is not stored. Raises UnknownScope."""
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    with transaction.atomic():
        row = ApiToken.objects.create(
            owner=owner,
            name=name[:80],
            digest=digest_of(secret),
            tail=secret[-4:],
            scopes=clean_scopes(scopes),
            expires_at=expires_at,
        )
        given = ", ".join(row.scopes)
        record(Action.TOKEN_MADE, _subject(row), owner=owner.get_username(), scopes=given)
    return row, secret


def _subject(token: ApiToken) -> Subject:
    return Subject(Kind.TOKEN, token.pk, str(token))


def clean_scopes(scopes: Iterable[str]) -> list[str]:
    """The scopes without duplicates, in the order of `Scope`. Raises UnknownScope."""
    wanted = set(scopes)
    if unknown := sorted(wanted - set(Scope)):
        raise UnknownScope(f"No such scope: {', '.join(unknown)}. There are: {', '.join(Scope)}.")
    return [scope.value for scope in Scope if scope in wanted]


def digest_of(secret: str) -> str:
    """The digest of a secret. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def look_up(secret: str) -> ApiToken | None:
    """The token with this secret, in whatever state, with its owner. Takes one query."""
    if not secret.startswith(PREFIX) or len(secret) > 200:
        return None
    return ApiToken.objects.filter(digest=digest_of(secret)).select_related("owner").first()


def state_of(token: ApiToken) -> TokenState:
    """Whether the token works at this moment, and if not, why."""
    if token.revoked_at is not None:
        return TokenState.REVOKED
    if token.expires_at is not None and token.expires_at <= timezone.now():
        return TokenState.EXPIRED
    return TokenState.LIVING if token.owner.is_active else TokenState.OWNER_DISABLED


def reloaded(token: ApiToken) -> ApiToken | None:
    """The token as it is now, with its owner; None if the row is gone."""
    return ApiToken.objects.filter(pk=token.pk).select_related("owner").first()


def note_use(token: ApiToken) -> None:
    """Record that the token was used, at most once a minute."""
    now = timezone.now()
    if token.last_used_at is not None and now - token.last_used_at < USE_NOTED_EVERY:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lte=now - USE_NOTED_EVERY)
    ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)


def revoke_token(token: ApiToken) -> None:
    """Make the token invalid from the next request on. The row stays, because logs refer to it."""
    _revoke(ApiToken.objects.filter(pk=token.pk), token.owner)


def revoke_own_token(user: User, token_id: int) -> ApiToken | None:
    """Revoke a token of this user. None if the user has no such token, or not any more."""
    token = kept_tokens(user).filter(pk=token_id).first()
    if token is not None:
        revoke_token(token)
    return token


def revoke_all(user: User) -> int:
    """Revoke all tokens of a user. Returns how many."""
    return _revoke(kept_tokens(user), user)


def _revoke(tokens: QuerySet[ApiToken], owner: User) -> int:
    with transaction.atomic():
        rows = list(tokens.filter(revoked_at=None).select_for_update())
        record_all(Action.TOKEN_REVOKED, map(_subject, rows), owner=owner.get_username())
        living = ApiToken.objects.filter(pk__in=[row.pk for row in rows])
        return living.update(revoked_at=timezone.now())
