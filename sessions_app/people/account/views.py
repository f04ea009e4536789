"""`/account/`: what users set for themselves."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from sessions_app.pages.answers import UNPROCESSABLE
from sessions_app.people.account.forms import OwnPasswordForm, PreferencesForm
from sessions_app.people.models import User
from sessions_app.people.preferences import choose, choose_theme


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    user = _person(request)
    form = PreferencesForm(request.POST or None, user=user)
    if form.is_valid():
        choose(user=user, chosen=form.chosen())
        with translation.override(user.language or translation.get_language()):
            messages.success(request, _("Saved."), extra_tags="ok")
        return redirect("account:account")
    return _page(request, form=form, password=OwnPasswordForm(request))


@sensitive_post_parameters()
@require_POST
def password(request: HttpRequest) -> HttpResponse:
    """Change the password. This browser stays signed in; all other sessions of the user end."""
    form = OwnPasswordForm(request, request.POST)
    if form.is_valid():
        form.save()
        update_session_auth_hash(request, form.user)
        words = _("Your password was changed. Your other browsers were signed out.")
        messages.success(request, words, extra_tags="ok")
        return redirect("account:account")
    return _page(request, form=PreferencesForm(user=_person(request)), password=form)


def _page(
    request: HttpRequest, *, form: PreferencesForm, password: OwnPasswordForm
) -> HttpResponse:
    context = {"room": "account", "form": form, "password": password}
    status = UNPROCESSABLE if form.is_bound or password.is_bound else 200
    return render(request, "account/account.html", context, status=status)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """The theme switch in the menu.

    The choice is saved for the user and applies in every browser.
    """
    try:
        choose_theme(user=_person(request), theme=request.POST.get("theme", ""))
    except ValueError:
        return HttpResponseBadRequest()
    return HttpResponse(status=204)
