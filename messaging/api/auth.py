"""Who calls: a token's owner, or the person of the browser's session (with CSRF).

A token narrows what its owner may and never widens it; roles and teams are asked for every call.
"""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from messaging.api.errors import ApiError, unauthorized
from messaging.api.limits import count_request
from sessions_app.models import ApiToken, User
from sessions_app.people import tokens
from sessions_app.people.roles import Capability
from sessions_app.people.tokens import Scope
from sessions_app.sessions.access import require


@dataclass(frozen=True, slots=True)
class Caller:
    """`token` is None for a browser."""

    user: User
    token: ApiToken | None = None

    def again(self) -> "Caller":
        """The same caller read anew, after a wait. Raises ApiError 401 when it has ended."""
        if self.token is not None:
            token = tokens.still_alive(self.token)
            if token is None:
                raise unauthorized()
            return Caller(token.owner, token)
        user = User.objects.filter(pk=self.user.pk, is_active=True).first()
        if user is None:
            raise unauthorized()
        return Caller(user)

    def check(self, scope: Scope, capability: Capability | None = None) -> User:
        """The person, who may. Raises ApiError 403 for the token, PermissionDenied for the role."""
        if self.token is not None and not self.token.allows(scope):
            raise ApiError(403, "wrong_scope", f"This token lacks the scope “{scope}”.")
        if capability is not None:
            require(self.user, capability)
        return self.user


class ApiRequest(HttpRequest):
    """A request that passed the door."""

    auth: Caller


def allowed(request: ApiRequest, scope: Scope, capability: Capability | None = None) -> User:
    return request.auth.check(scope, capability)


class BearerToken(HttpBearer):
    """A header that is there must hold a living token; the cookie is not tried after it."""

    def __call__(self, request: HttpRequest) -> Caller | None:
        if "Authorization" not in request.headers:
            return None
        caller: Caller | None = super().__call__(request)
        if caller is None:
            raise unauthorized()
        return caller

    def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        found = tokens.recognise(token.strip())
        if found is None:
            return None
        count_request(f"token:{found.pk}")
        tokens.note_use(found)
        return Caller(found.owner, found)


class BrowserSession(APIKeyCookie):
    """A signed-in person's own browser."""

    param_name = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> Caller | None:
        return self.authenticate(request, None)

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        # A fresh row: its roles and teams are those of this moment.
        user = request.user
        if not isinstance(user, User) or not user.is_active:
            return None
        if check_csrf(request) is not None:
            raise ApiError(403, "csrf", "A browser must send its CSRF token: X-CSRFToken.")
        count_request(f"user:{user.pk}")
        return Caller(user)


DOORS = [BearerToken(), BrowserSession()]
