"""`/people/audit/`: who did what to what, for administrators."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from sessions_app.audit import export, queries
from sessions_app.audit.forms import BIGGEST_ID, FilterForm
from sessions_app.audit.presentation import entry_rows
from sessions_app.audit.queries import Filters
from sessions_app.pages.answers import UNPROCESSABLE, is_htmx
from sessions_app.people.roles import Capability
from sessions_app.recording.actions import Action, Kind
from sessions_app.recording.record import Subject, record
from sessions_app.sessions.access import require
from sessions_app.text.unseen import visible


@require_GET
def audit(request: HttpRequest) -> HttpResponse:
    """A page of rows. htmx gets the rows alone, to append them."""
    require(request.user, Capability.ADMINISTER)
    teams = queries.team_names()
    form = FilterForm(request.GET, teams=teams)
    filters = form.filters() if form.is_valid() else Filters()
    found, following = queries.one_page(filters, _position(request))
    if form.errors:
        found, following = [], None
    context = {
        "room": "people",
        "rows": entry_rows(found, teams),
        "next": following,
        "filters": filters,
        "form": form,
    }
    if is_htmx(request):
        return render(request, "audit/more_entries.html", context)
    context["about"] = visible(queries.name_of_object(filters.about)) if filters.about else ""
    status = UNPROCESSABLE if form.errors else 200
    return render(request, "audit/audit.html", context, status=status)


def _position(request: HttpRequest) -> int | None:
    """The key of the last row that the page has."""
    asked = request.GET.get("before", "")
    is_key = asked.isdecimal() and asked.isascii() and len(asked) <= len(str(BIGGEST_ID))
    return min(int(asked), BIGGEST_ID) if is_key else None


@require_POST
def export_csv(request: HttpRequest) -> HttpResponseBase:
    """All rows that the filters list, as a file. That somebody took it is recorded, too."""
    require(request.user, Capability.ADMINISTER)
    form = FilterForm(request.POST, teams=queries.team_names())
    if not form.is_valid():
        return HttpResponse(status=UNPROCESSABLE)
    filters = form.filters()
    last = queries.newest_id()
    record(Action.AUDIT_EXPORTED, Subject(Kind.AUDIT_LOG), filters=filters.query)
    return export.response(request, filters, last)
