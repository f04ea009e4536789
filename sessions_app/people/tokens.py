"""Creates, recognises and revokes API tokens. A secret is shown once; only its digest is stored.

A token never allows more than its owner may do at this moment. Nothing here checks objects.
"""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Q
from django.utils import timezone

from sessions_app.people.models import ApiToken, User

PREFIX = "wlk_"
SECRET_BYTES = 32
USE_NOTED_EVERY = timedelta(minutes=1)


class Scope(StrEnum):
    """What a token may be used for. A token without scopes allows everything its owner may do."""

    READ = "read"
    SEND = "send"
    SESSIONS = "sessions"
    CONTACTS = "contacts"
    METRICS = "metrics"


class UnknownScope(ValueError):  # noqa: N818 - reads as a statement
    """A scope does not exist. The message lists those that do."""


def issue_token(
    *,
    owner: User,
    name: str,
    scopes: Iterable[str] = (),
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """Create a token. Returns the row and the secret, which is not stored. Raises UnknownScope."""
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    row = ApiToken.objects.create(
        owner=owner,
        name=name[:80],
        digest=digest_of(secret),
        tail=secret[-4:],
        scopes=clean_scopes(scopes),
        expires_at=expires_at,
    )
    return row, secret


def clean_scopes(scopes: Iterable[str]) -> list[str]:
    """The scopes without duplicates, in the order of `Scope`. Raises UnknownScope."""
    wanted = set(scopes)
    if unknown := sorted(wanted - set(Scope)):
        raise UnknownScope(f"No such scope: {', '.join(unknown)}. There are: {', '.join(Scope)}.")
    return [scope.value for scope in Scope if scope in wanted]


def digest_of(secret: str) -> str:
    """The digest of a secret. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def recognise(secret: str) -> ApiToken | None:
    """The valid token with this secret, if its owner is active. Takes one query."""
    if not secret.startswith(PREFIX) or len(secret) > 200:
        return None
    return _valid_token(Q(digest=digest_of(secret)))


def still_alive(token: ApiToken) -> ApiToken | None:
    """The token reloaded with its owner, or None if it or its owner is no longer valid."""
    return _valid_token(Q(pk=token.pk))


def _valid_token(condition: Q) -> ApiToken | None:
    unexpired = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    alive = ApiToken.objects.filter(condition, unexpired, revoked_at=None, owner__is_active=True)
    return alive.select_related("owner").first()


def note_use(token: ApiToken) -> None:
    """Record that the token was used, at most once a minute."""
    now = timezone.now()
    if token.last_used_at is not None and now - token.last_used_at < USE_NOTED_EVERY:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lte=now - USE_NOTED_EVERY)
    ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)


def revoke_token(token: ApiToken) -> None:
    """Make the token invalid from the next request on. The row stays, because logs refer to it."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
