"""Links in the console: make one for a person's password, invite somebody, revoke."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from sessions_app.pages.answers import UNPROCESSABLE, card, posted
from sessions_app.people import tokens
from sessions_app.people.account.page import living
from sessions_app.people.account.page import person as signed_in
from sessions_app.people.directory import links, services
from sessions_app.people.directory.access import for_administrators, person_or_404
from sessions_app.people.directory.errors import DirectoryError
from sessions_app.people.directory.forms import InviteForm, LinkForm
from sessions_app.people.models import User


def new_link_card(
    request: HttpRequest, code: str, *, person: User | None = None, ended: int = 0
) -> HttpResponse:
    """Show a new link, this once. `person`: whose; None for an invitation.

    `ended`: how many API tokens were revoked.
    """
    here = reverse("people:person", args=[person.pk]) if person else reverse("people:people")
    context = {
        "room": "people",
        "title": _("Password link") if person else _("Invitation"),
        "person": person,
        "link": links.find(code, is_invitation=person is None),
        "address": links.address(code, is_invitation=person is None),
        "ended": ended,
        "way_back": here,
    }
    return card(request, "people/new_link.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@for_administrators
def link(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a person a new link. Asks first: their password and their browsers end."""
    found = person_or_404(pk)
    token_count = living(list(tokens.kept_tokens(found).select_related("owner")))
    form = LinkForm(request.POST or None, token_count=token_count)
    refused = ""
    if form.is_valid():
        try:
            code, ended = services.give_link(
                person_id=pk,
                by=signed_in(request),
                days=form.cleaned_data["days"],
                ends_tokens=form.cleaned_data.get("ends_tokens", False),
            )
        except DirectoryError as problem:
            refused = str(problem.words)
        else:
            return new_link_card(request, code, person=found, ended=ended)
    context = {
        "room": "people",
        "form": form,
        "person": found,
        "refused": refused,
        "title": _("Password link"),
        "way_back": reverse("people:person", args=[pk]),
    }
    status = UNPROCESSABLE if form.is_bound else 200
    return card(request, "people/link.html", context, status=status)


@never_cache
@require_http_methods(["GET", "POST"])
@for_administrators
def invite(request: HttpRequest) -> HttpResponse:
    """Make an invitation. The answer to this request alone shows its address."""
    form = InviteForm(request.POST or None)
    if form.is_valid():
        code = services.invite(by=signed_in(request), **form.cleaned_data)
        return new_link_card(request, code)
    context = {
        "room": "people",
        "form": form,
        "title": _("Invite somebody"),
        "way_back": reverse("people:people"),
    }
    status = UNPROCESSABLE if form.is_bound else 200
    return card(request, "people/invite.html", context, status=status)


@posted("people:people", of_the_same=False)
@for_administrators
def revoke(request: HttpRequest, link_id: int) -> HttpResponse:
    """End an open link or invitation. Repeating it changes nothing."""
    if services.revoke_link(link_id=link_id, by=signed_in(request)):
        messages.success(request, _("The link was revoked."), extra_tags="ok")
    else:
        messages.warning(request, _("This link had ended already."), extra_tags="warn")
    return redirect("people:people")
