"""The list of people, and one person: add, change, enable."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from sessions_app.pages.answers import UNPROCESSABLE, card, posted
from sessions_app.people import tokens
from sessions_app.people.account.page import living
from sessions_app.people.account.page import person as signed_in
from sessions_app.people.directory import queries, services
from sessions_app.people.directory.access import for_administrators, person_or_404
from sessions_app.people.directory.errors import DirectoryError, NameTaken
from sessions_app.people.directory.forms import AddForm, FilterForm, PersonForm
from sessions_app.people.directory.links_views import new_link_card
from sessions_app.people.models import User
from sessions_app.text.unseen import apart


@require_GET
@for_administrators
def people(request: HttpRequest) -> HttpResponse:
    form = FilterForm(request.GET)
    filters = form.filters()
    page = queries.find_people(filters, request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "room": "people",
        "form": form,
        "is_filtered": filters.is_any,
        "page": page,
        "rows": queries.rows_of(page),
        "query": query.urlencode(),
        "invitations": queries.open_invitations(),
    }
    return render(request, "people/people.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@for_administrators
def add(request: HttpRequest) -> HttpResponse:
    """Add a person. The answer to this request alone shows the link for their password."""
    form = AddForm(request.POST or None)
    if form.is_valid():
        try:
            added, code = services.add_person(by=signed_in(request), **form.cleaned_data)
        except NameTaken as refused:
            form.add_error("username", str(refused.words))
        else:
            return new_link_card(request, code, person=added)
    context = {
        "room": "people",
        "form": form,
        "title": _("Add a person"),
        "way_back": reverse("people:people"),
    }
    status = UNPROCESSABLE if form.is_bound else 200
    return card(request, "people/add.html", context, status=status)


@require_http_methods(["GET", "POST"])
@for_administrators
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person. Saves name, roles and teams, unless somebody changed them since."""
    found = person_or_404(pk)
    form = PersonForm(request.POST or None, person=found)
    if not form.is_valid():
        return _person_page(request, found, form)
    try:
        services.change_person(person_id=pk, by=signed_in(request), **form.cleaned_data)
    except DirectoryError as refused:
        now = person_or_404(pk)
        return _person_page(request, now, PersonForm(person=now), refused=str(refused.words))
    messages.success(request, _("Saved."), extra_tags="ok")
    return redirect("people:person", pk)


def _person_page(
    request: HttpRequest, found: User, form: PersonForm, *, refused: str = ""
) -> HttpResponse:
    me = signed_in(request)
    context: dict[str, Any] = {
        "room": "people",
        "row": queries.row_of(found),
        "form": form,
        "refused": refused,
        "is_me": found.pk == me.pk,
        "may_touch": services.may_touch(me, found),
        "browser_count": found.browsers.count(),
        "token_count": living(list(tokens.kept_tokens(found).select_related("owner"))),
    }
    status = UNPROCESSABLE if refused or form.errors else 200
    return render(request, "people/person.html", context, status=status)


@posted("people:person")
@for_administrators
def enable(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a disabled person sign in again. Needs no confirmation: it ends nothing."""
    found = person_or_404(pk)
    try:
        was_disabled = services.enable_person(person_id=pk, by=signed_in(request))
    except DirectoryError as refused:
        messages.error(request, str(refused.words), extra_tags="bad")
        return redirect("people:person", pk)
    name = {"name": apart(found.display_name)}
    if was_disabled:
        words = _("%(name)s can sign in again.") % name
        messages.success(request, words, extra_tags="ok")
    else:
        words = _("Somebody else has enabled %(name)s already.") % name
        messages.warning(request, words, extra_tags="warn")
    return redirect("people:person", pk)
