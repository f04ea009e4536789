"""`/settings/`: the team's settings, for administrators; effective as soon as they are saved.

`/settings/teams/…/`: how a team introduces itself to people outside.
"""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from messaging.models import Message
from messaging.reply_window.team_limits import change_limits
from messaging.transfers.logos import NotALogo, logo_from
from sessions_app.models import SettingChange, Team, User
from sessions_app.pages.answers import UNPROCESSABLE
from sessions_app.people.roles import Capability
from sessions_app.sessions.access import require
from sessions_app.team_settings.forms import IntroductionForm, TeamSettingsForm
from sessions_app.team_settings.introductions import change_introduction, introduction_of
from sessions_app.team_settings.limits import forget, team_settings

CHANGES_SHOWN = 30


@require_http_methods(["GET", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    require(request.user, Capability.ADMINISTER)
    forget()  # administrators edit the current values, not cached ones
    form = TeamSettingsForm(request.POST or None, current=team_settings())
    if form.is_valid():
        assert isinstance(request.user, User)
        _say(request, change_limits(user=request.user, wanted=form.wanted()))
        return redirect("settings")
    changes = SettingChange.objects.select_related("who")[:CHANGES_SHOWN]
    labels = {name: field.label for name, field in form.fields.items()}
    context = {
        "room": "settings",
        "form": form,
        "oldest": Message.objects.order_by("pk").values_list("stored_at", flat=True).first(),
        "teams": Team.objects.all(),
        "changes": [(change, labels.get(change.name, change.name)) for change in changes],
    }
    status = UNPROCESSABLE if form.is_bound else 200
    return render(request, "settings/settings.html", context, status=status)


def _say(request: HttpRequest, count: int) -> None:
    if not count:
        messages.info(request, _("Nothing was changed."), extra_tags="ok")
        return
    words = ngettext(
        "%(count)d setting changed.",
        "%(count)d settings changed.",
        count,
    )
    messages.success(request, words % {"count": count}, extra_tags="ok")


@require_http_methods(["GET", "POST"])
def introduction(request: HttpRequest, pk: int) -> HttpResponse:
    """For administrators too: strangers trust what stands there."""
    require(request.user, Capability.ADMINISTER)
    team = get_object_or_404(Team, pk=pk)
    current = introduction_of(team)
    sent = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = IntroductionForm(*sent, current=current)
    if form.is_valid():
        assert isinstance(request.user, User)
        if _save_introduction(request.user, team, form):
            messages.success(request, _("Saved."), extra_tags="ok")
            return redirect("introduction", team.pk)
    context = {"room": "settings", "form": form, "team": team, "introduction": current}
    status = UNPROCESSABLE if form.is_bound else 200
    return render(request, "settings/introduction.html", context, status=status)


def _save_introduction(user: User, team: Team, form: IntroductionForm) -> bool:
    wanted = form.cleaned_data
    logo = b"" if wanted.get("removes_logo") else None
    if wanted["logo"] is not None:
        try:
            logo = logo_from(wanted["logo"])
        except NotALogo as problem:
            form.add_error("logo", str(problem))
            return False
    change_introduction(user=user, team=team, name=wanted["name"], text=wanted["text"], logo=logo)
    return True
