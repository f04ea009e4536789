"""`/account/`: what users set for themselves."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from sessions_app.people.account.forms import PreferencesForm
from sessions_app.people.account.page import account_page, person
from sessions_app.people.preferences import choose, choose_theme


@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    user = person(request)
    form = PreferencesForm(request.POST or None, user=user)
    if form.is_valid():
        choose(user=user, chosen=form.chosen())
        with translation.override(user.language or translation.get_language()):
            messages.success(request, _("Saved."), extra_tags="ok")
        return redirect("account:account")
    return account_page(request, form=form)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """The theme switch in the menu.

    The choice is saved for the user and applies in every browser.
    """
    try:
        choose_theme(user=person(request), theme=request.POST.get("theme", ""))
    except ValueError:
        return HttpResponseBadRequest()
    return HttpResponse(status=204)
