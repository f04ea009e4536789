"""API tokens: made, recognised, revoked. The secret is shown once; only its digest is kept.

A token never may more than its owner may at this moment, and nothing here asks about objects.
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
    """What a token is for. Without any scope a token may all that its owner may."""

    READ = "read"
    SEND = "send"
    SESSIONS = "sessions"
    CONTACTS = "contacts"


class UnknownScope(ValueError):  # noqa: N818 - a statement
    """A scope that does not exist; the message names those that do."""


def issue_token(
    *,
    owner: User,
    name: str,
    scopes: Iterable[str] = (),
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """The row and its secret, which nobody can read again. Raises UnknownScope."""
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
    """Each once, in their own order. Raises UnknownScope."""
    wanted = set(scopes)
    if unknown := sorted(wanted - set(Scope)):
        raise UnknownScope(f"No such scope: {', '.join(unknown)}. There are: {', '.join(Scope)}.")
    return [scope.value for scope in Scope if scope in wanted]


def digest_of(secret: str) -> str:
    """256 random bits need no salt and no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def recognise(secret: str) -> ApiToken | None:
    """The living token of a living owner with this secret. One query."""
    if not secret.startswith(PREFIX) or len(secret) > 200:
        return None
    return _alive(Q(digest=digest_of(secret)))


def still_alive(token: ApiToken) -> ApiToken | None:
    """The same token read anew, with its owner; None when either has ended meanwhile."""
    return _alive(Q(pk=token.pk))


def _alive(condition: Q) -> ApiToken | None:
    unexpired = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    alive = ApiToken.objects.filter(condition, unexpired, revoked_at=None, owner__is_active=True)
    return alive.select_related("owner").first()


def note_use(token: ApiToken) -> None:
    """Write down that it is used, at most once a minute."""
    now = timezone.now()
    if token.last_used_at is not None and now - token.last_used_at < USE_NOTED_EVERY:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lte=now - USE_NOTED_EVERY)
    ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)


def revoke_token(token: ApiToken) -> None:
    """Dead from the next request on; the row stays, so that logs can be read."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
