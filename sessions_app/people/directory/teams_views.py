"""`/people/teams/`: the teams with the number of their members; add and rename."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sessions_app.pages.answers import UNPROCESSABLE, card, is_htmx
from sessions_app.people.account.page import person as signed_in
from sessions_app.people.directory import teams as services
from sessions_app.people.directory.access import for_administrators
from sessions_app.people.directory.errors import DirectoryError
from sessions_app.people.directory.forms import TeamForm
from sessions_app.people.models import EVERYONE, Team
from sessions_app.text.unseen import apart, visible


@require_http_methods(["GET", "POST"])
@for_administrators
def teams(request: HttpRequest) -> HttpResponse:
    form = TeamForm(request.POST or None)
    if form.is_valid():
        try:
            made = services.add_team(by=signed_in(request), name=form.cleaned_data["name"])
        except DirectoryError as refused:
            form.add_error("name", str(refused.words))
        else:
            words = _("The team “%(name)s” was added.") % {"name": apart(visible(made.name))}
            messages.success(request, words, extra_tags="ok")
            return redirect("people:teams")
    context = {
        "room": "people",
        "form": form,
        "teams": services.teams_with_members(),
        "everyone": EVERYONE,
    }
    status = UNPROCESSABLE if form.is_bound else 200
    return render(request, "people/teams.html", context, status=status)


@require_http_methods(["GET", "POST"])
@for_administrators
def rename(request: HttpRequest, pk: int) -> HttpResponse:
    """Another name for a team. What belongs to the team stays."""
    team = get_object_or_404(Team, pk=pk)
    form = TeamForm(request.POST or None, initial={"name": team.name})
    if form.is_valid():
        try:
            services.rename_team(team_id=pk, by=signed_in(request), name=form.cleaned_data["name"])
        except DirectoryError as refused:
            form.add_error("name", str(refused.words))
        else:
            messages.success(request, _("Saved."), extra_tags="ok")
            here = reverse("people:teams")
            return (
                HttpResponse(headers={"HX-Redirect": here}) if is_htmx(request) else redirect(here)
            )
    context = {
        "room": "people",
        "team": team,
        "form": form,
        "title": _("Rename"),
        "way_back": reverse("people:teams"),
    }
    status = UNPROCESSABLE if form.is_bound else 200
    return card(request, "people/rename_team.html", context, status=status)
