"""The browsers in which a user is signed in: noted, listed and signed out.

A login ends with its row. Websockets and waiting API calls notice that within two seconds.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from sessions_app.database.browser_keys import SessionStore, digest_of, ends_at
from sessions_app.people.browser_names import browser_name
from sessions_app.people.models import SignedInBrowser, User
from sessions_app.recording.actions import Action
from sessions_app.recording.record import person_subject, record

SEEN_EVERY = timedelta(minutes=1)
UNASKED = "Live-Unasked"
"""Header of requests that an open page makes by itself. They are not use by a person."""


@dataclass(frozen=True, slots=True)
class Browser:
    """What the owner of a login sees of it. `handle` names it in a form; it is no key."""

    handle: str
    name: str
    address: str
    seen_at: datetime
    signed_in_at: datetime
    is_this: bool


def say_where(request: HttpRequest) -> None:
    """Let the session know where this request comes from. Writes nothing."""
    store = request.session
    if isinstance(store, SessionStore):
        store.browser, store.address = _browser(request), _address(request)


def note_seen(request: HttpRequest) -> None:
    """Record that the browser is used, at most once a minute, in one statement."""
    store = request.session
    if not isinstance(store, SessionStore) or UNASKED in request.headers:
        return
    row, now = store.row, timezone.now()
    if row is None or row.user_id is None or now - row.seen_at < SEEN_EVERY:
        return
    row.seen_at, row.expire_date = now, ends_at(row.signed_in_at, now)
    row.browser, row.address = store.browser, store.address
    stale = SignedInBrowser.objects.filter(pk=row.pk, seen_at__lte=now - SEEN_EVERY)
    stale.update(seen_at=now, expire_date=row.expire_date, browser=row.browser, address=row.address)


def browsers_of(user: User, session: SessionBase) -> list[Browser]:
    """The logins of `user` that are alive, the one of `session` first, then the last used."""
    rows = user.browsers.filter(expire_date__gt=timezone.now()).order_by("-seen_at")
    this, now = _digest(session), timezone.now()
    found = [
        Browser(
            row.session_key,
            browser_name(row.browser),
            row.address,
            row.seen_at,
            row.signed_in_at,
            row.session_key == this,
        )
        for row in rows
        if ends_at(row.signed_in_at, row.seen_at) > now and _is_with_password_of(user, row)
    ]
    return sorted(found, key=lambda one: not one.is_this)


def _is_with_password_of(user: User, row: SignedInBrowser) -> bool:
    """False for a login that ended with an earlier password. Its row stays until it is used."""
    return bool(row.get_decoded().get(HASH_SESSION_KEY) == user.get_session_auth_hash())


def sign_out(user: User, handle: str) -> bool:
    """Sign one browser of the user out. False if it was not signed in any more."""
    return _end(user, user.browsers.filter(session_key=handle)) > 0


def sign_out_others(user: User, session: SessionBase) -> int:
    """Sign out all browsers of the user but the one of `session`. Returns how many."""
    return _end(user, user.browsers.exclude(session_key=_digest(session)))


def _end(user: User, rows: QuerySet[SignedInBrowser]) -> int:
    with transaction.atomic():
        count: int = rows.delete()[0]
        if count:
            record(Action.BROWSERS_ENDED, person_subject(user), count=count)
    return count


def forget_ended() -> None:
    """Delete the rows of logins that have ended by time."""
    SignedInBrowser.objects.filter(expire_date__lt=timezone.now()).delete()


def _digest(session: SessionBase) -> str:
    return digest_of(session.session_key or "")


def _browser(request: HttpRequest) -> str:
    return request.headers.get("User-Agent", "").replace("\0", "")[:300]


def _address(request: HttpRequest) -> str:
    return str(request.META.get("weilink.client") or request.META.get("REMOTE_ADDR", ""))[:64]
