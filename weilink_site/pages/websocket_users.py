"""Who opens a websocket. Accepts logins that a former SECRET_KEY signed, and changes none.

Channels' own middleware knows no `SECRET_KEY_FALLBACKS` and deletes a login that it does not
accept, so a page that reconnects after a change of the key would sign its user out.
"""

from collections.abc import Mapping
from typing import Any

from channels.auth import AuthMiddleware
from channels.db import database_sync_to_async
from channels.sessions import CookieMiddleware, SessionMiddleware
from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    load_backend,
)
from django.contrib.auth.models import AnonymousUser
from django.utils.crypto import constant_time_compare

from sessions_app.models import User


def user_of(session: Mapping[str, Any]) -> User | AnonymousUser:
    """The user of this login, as Django's `get_user` finds them for a request."""
    backend = session.get(BACKEND_SESSION_KEY)
    given = session.get(HASH_SESSION_KEY)
    if backend not in settings.AUTHENTICATION_BACKENDS or not given:
        return AnonymousUser()
    user = load_backend(str(backend)).get_user(session.get(SESSION_KEY))
    if not isinstance(user, User):
        return AnonymousUser()
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    is_true = any(constant_time_compare(given, one) for one in hashes)
    return user if is_true else AnonymousUser()


class WebsocketUsers(AuthMiddleware):  # type: ignore[misc]
    async def resolve_scope(self, scope: dict[str, Any]) -> None:
        scope["user"]._wrapped = await database_sync_to_async(user_of)(scope["session"])


def with_users(inner: Any) -> Any:
    """`inner` with `user`, `session` and `cookies` in its scope."""
    return CookieMiddleware(SessionMiddleware(WebsocketUsers(inner)))
