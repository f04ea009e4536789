"""Authenticates API calls: by a token, or by the browser's session (with CSRF).

A token can only narrow what its owner may do. Roles and teams are checked on every call.
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
from sessions_app.people.tokens import Scope, TokenState
from sessions_app.realtime.rights import SignedIn, login_of, rights_now
from sessions_app.recording import origin
from sessions_app.sessions.access import require


@dataclass(frozen=True, slots=True)
class Caller:
    """The user who makes the call, by a token or by a browser's login."""

    user: User
    token: ApiToken | None = None
    login: SignedIn | None = None

    def reloaded(self) -> "Caller":
        """Reload the caller during a wait.

        Raises ApiError 401 if the token or the login is no longer valid.
        """
        if self.token is not None:
            token = _valid(tokens.reloaded(self.token))
            return Caller(token.owner, token)
        rights = rights_now({self.login}).get(self.login) if self.login is not None else None
        if rights is None:
            raise unauthorized()
        return Caller(rights.user, login=self.login)

    def check(self, scope: Scope, capability: Capability | None = None) -> User:
        """Return the user if the call is allowed.

        Raises ApiError 403 if the token lacks the scope, PermissionDenied if the role lacks the
        capability.
        """
        if self.token is not None and not self.token.allows(scope):
            raise ApiError(403, "wrong_scope", f"This token lacks the scope “{scope}”.")
        if capability is not None:
            require(self.user, capability)
        return self.user


class ApiRequest(HttpRequest):
    """A request that passed authentication."""

    auth: Caller


_WHY_REFUSED = {
    TokenState.EXPIRED: "This token has expired. Make a new one at /account/.",
    TokenState.REVOKED: "This token was revoked. Make a new one at /account/.",
    TokenState.OWNER_DISABLED: "The owner of this token is disabled.",
}


def _valid(token: ApiToken | None) -> ApiToken:
    """The token if it works. Raises ApiError 401 that says why not to whoever has the secret."""
    if token is None:
        raise unauthorized()
    state = tokens.state_of(token)
    if state is not TokenState.LIVING:
        raise unauthorized(_WHY_REFUSED[state])
    return token


def allowed(request: ApiRequest, scope: Scope, capability: Capability | None = None) -> User:
    return request.auth.check(scope, capability)


class BearerToken(HttpBearer):
    """Reads the Authorization header. If it is there, the cookie is not tried."""

    def __call__(self, request: HttpRequest) -> Caller | None:
        if "Authorization" not in request.headers:
            return None
        caller: Caller | None = super().__call__(request)
        if caller is None:
            raise unauthorized()
        return caller

    def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        found = _valid(tokens.look_up(token.strip()))
        count_request(f"token:{found.pk}")
        tokens.note_use(found)
        origin.note_token(owner=found.owner, token=str(found))
        return Caller(found.owner, found)


class BrowserSession(APIKeyCookie):
    """Authenticates a signed-in user's browser by its session cookie."""

    param_name = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> Caller | None:
        return self.authenticate(request, None)

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        # `request.user` is read anew on each request, so roles and teams are current.
        user = request.user
        if not isinstance(user, User) or not user.is_active:
            return None
        if user.must_change_password:
            raise unauthorized("Choose a new password first, in the console.")
        if check_csrf(request) is not None:
            raise ApiError(403, "csrf", "A browser must send its CSRF token: X-CSRFToken.")
        count_request(f"user:{user.pk}")
        return Caller(user, login=login_of(str(request.session.session_key), user))


AUTHENTICATION = [BearerToken(), BrowserSession()]
