"""The page `/account/`, with whichever of its forms was sent."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from sessions_app.pages.answers import UNPROCESSABLE
from sessions_app.people import browsers, tokens
from sessions_app.people.account.forms import OwnPasswordForm, PreferencesForm
from sessions_app.people.account.token_forms import SCOPE_WORDS, NewTokenForm
from sessions_app.people.models import ApiToken, User
from sessions_app.people.tokens import Scope, TokenState


def person(request: HttpRequest) -> User:
    """The signed-in user of a request to a page that needs a login."""
    assert isinstance(request.user, User)
    return request.user


def account_page(request: HttpRequest, *, secret: str = "", **sent: Any) -> HttpResponse:
    """Render it. `sent`: `form`, `password` or `token_form` as it was sent, with its errors.

    `secret`: of a token that was made just now.
    """
    user = person(request)
    kept = list(tokens.kept_tokens(user).select_related("owner"))
    forms = {
        "form": PreferencesForm(user=user),
        "password": OwnPasswordForm(request, token_count=living(kept)),
        "token_form": NewTokenForm(user=user),
        **sent,
    }
    context = {
        "room": "account",
        **forms,
        "secret": secret,
        "tokens": [_shown(token) for token in kept],
        "browsers": browsers.browsers_of(user, request.session),
    }
    status = UNPROCESSABLE if any(form.errors for form in forms.values()) else 200
    return render(request, "account/account.html", context, status=status)


def living(kept: list[ApiToken]) -> int:
    return sum(tokens.state_of(token) is TokenState.LIVING for token in kept)


def _shown(token: ApiToken) -> dict[str, Any]:
    """`may`: what the token may do, in words; empty: everything that its owner may."""
    may = [SCOPE_WORDS[Scope(scope)] for scope in token.scopes]
    is_expired = tokens.state_of(token) is TokenState.EXPIRED
    return {"row": token, "may": may, "is_expired": is_expired}
