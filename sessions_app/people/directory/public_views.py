"""The pages behind one-time links: choose a password, or join with a username and a password.

Nobody is signed in by them. Opening a page uses nothing up, because link previews and crawlers
open pages; the form does. No page and no other site learns the address: it is a secret.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from sessions_app.pages.answers import UNPROCESSABLE
from sessions_app.people import login_throttle
from sessions_app.people.directory import links, services
from sessions_app.people.directory.errors import NameTaken
from sessions_app.people.directory.forms import ChosenPasswordForm, JoinForm
from sessions_app.people.directory.links import DeadLink, Why
from sessions_app.people.models import PersonLink

NOT_FOUND, GONE, TOO_MANY = 404, 410, 429

View = Callable[..., HttpResponse]
Form = ChosenPasswordForm | JoinForm


def _behind_a_link(view: View) -> View:
    """Require no login, forbid caching and indexing, and name the address to nobody.

    With "same-origin" the address would stand in a proxy's log, as what led to our other pages.
    """

    @wraps(view)
    def shown(request: HttpRequest, code: str) -> HttpResponse:
        try:
            response = view(request, code)
        except DeadLink as dead:
            response = _dead(request, dead.why)
        response["X-Robots-Tag"] = "noindex, nofollow"
        response["Referrer-Policy"] = "strict-origin"
        return response

    methods: View = require_http_methods(["GET", "POST"])(shown)
    open_view: View = login_not_required(never_cache(sensitive_post_parameters()(methods)))
    return open_view


@_behind_a_link
@sensitive_variables("code")
def password(request: HttpRequest, code: str) -> HttpResponse:
    """Choose a password. Afterwards the same address says that it is set."""
    link = links.find(code, is_invitation=False)
    assert link.person is not None
    form = ChosenPasswordForm(link.person, request.POST or None)

    def save() -> None:
        services.set_password(link, password=form.cleaned_data["new_password1"])

    return _page(request, link, form, save) or redirect("welcome:password", code)


@_behind_a_link
@sensitive_variables("code")
def join(request: HttpRequest, code: str) -> HttpResponse:
    """Join with a username, a name and a password. Afterwards the same address says so."""
    link = links.find(code, is_invitation=True)
    form = JoinForm(request.POST or None)

    def save() -> None:
        services.join(
            link,
            username=form.cleaned_data["username"],
            name=form.cleaned_data["name"],
            password=form.cleaned_data["new_password1"],
        )

    return _page(request, link, form, save) or redirect("welcome:join", code)


def _page(
    request: HttpRequest, link: PersonLink, form: Form, save: Callable[[], None]
) -> HttpResponse | None:
    """The page with its form; None if the form was right and is saved. Raises DeadLink.

    Each try counts for this link as one at the sign-in does: it costs a slow hash, and tells
    whether a username exists.
    """
    if not form.is_bound:
        return _form_page(request, link, form)
    counted_as = f"link {link.pk}"
    try:
        with login_throttle.one_try(request, counted_as):
            if not form.is_valid():
                return _form_page(request, link, form, status=UNPROCESSABLE)
            save()
    except login_throttle.Refused as refused:
        # An empty form: to show what was typed, it would be looked at after all.
        empty = ChosenPasswordForm(link.person) if link.person is not None else JoinForm()
        return _form_page(request, link, empty, refused=refused.words, status=TOO_MANY)
    except NameTaken as taken:
        form.add_error("username", str(taken.words))
        return _form_page(request, link, form, status=UNPROCESSABLE)
    login_throttle.was_right(request, counted_as)
    return None


def _form_page(
    request: HttpRequest, link: PersonLink, form: Form, *, refused: str = "", status: int = 200
) -> HttpResponse:
    context = {"link": link, "form": form, "refused": refused}
    return render(request, "welcome/choose.html", context, status=status)


def _dead(request: HttpRequest, why: Why) -> HttpResponse:
    context: dict[str, Any] = {"sentence": _sentence(why), "is_used": why is Why.USED}
    status = {Why.USED: 200, Why.UNKNOWN: NOT_FOUND}.get(why, GONE)
    return render(request, "welcome/dead.html", context, status=status)


def _sentence(why: Why) -> str:
    match why:
        case Why.USED:
            return _("Your password is set. Log in with your username and this password.")
        case Why.ENDED:
            return _("This link does not work any more. Ask your administrator for a new one.")
        case Why.EXPIRED:
            return _("This link has expired. Ask for a new one.")
    return _("This link is not complete. Copy it once more, or ask for a new one.")
