"""Signing in and out, and the language of the pages."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from sessions_app.people import browsers, login_throttle
from sessions_app.people.forms import SignInForm
from sessions_app.people.models import User
from sessions_app.people.preferences import choose_language

YEAR_S = 365 * 24 * 3_600


class SignIn(LoginView):
    """The sign-in page. Redirects users who are signed in, and leads back to the requested page."""

    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        """Avoid a redirect loop: the sign-in page never leads back to itself."""
        wanted = super().get_redirect_url()
        return "" if urlsplit(wanted).path == self.request.path else wanted

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        username = form.cleaned_data["username"]
        login_throttle.say_signed_in(self.request, username)
        login_throttle.remember(self.request, response, username)
        browsers.forget_ended()
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """A remaining session cookie means that the user was signed in; signing out deletes it."""
        held = settings.SESSION_COOKIE_NAME in self.request.COOKIES
        return super().get_context_data(**kwargs, has_ended=held and self.request.method == "GET")


@require_POST
@login_not_required
def language(request: HttpRequest) -> HttpResponse:
    """Set the language in a cookie while nobody is signed in."""
    wanted = request.POST.get("language", "")
    response = redirect(_safe_next(request))
    if wanted in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            wanted,
            max_age=YEAR_S,
            secure=settings.SESSION_COOKIE_SECURE,
            samesite="Lax",
        )
    return response


@require_POST
def own_language(request: HttpRequest) -> HttpResponse:
    """Save the language for the user, so that it applies in every browser."""
    wanted = request.POST.get("language", "")
    if isinstance(request.user, User) and wanted in dict(settings.LANGUAGES):
        choose_language(user=request.user, language=wanted)
    return language(request)


def _safe_next(request: HttpRequest) -> str:
    wanted = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if allowed else "/"
