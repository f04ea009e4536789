"""Invitations in the console: list, create, revoke, and see the visitors."""

from typing import Any

from django.db.models import Count, Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sessions_app.board.forms import InvitationForm
from sessions_app.invitations import invitations as invite
from sessions_app.invitations.invitations import Why
from sessions_app.models import Invitation, InvitationVisit, User
from sessions_app.pages.answers import UNPROCESSABLE, posted
from sessions_app.people.roles import Capability
from sessions_app.sessions import reasons
from sessions_app.sessions.access import invitation_or_404, invitations_of, require
from sessions_app.sessions.names import SessionNameError
from sessions_app.text.unseen import apart

SHOWN = 50


@require_http_methods(["GET", "POST"])
def invitations(request: HttpRequest) -> HttpResponse:
    require(request.user, Capability.MANAGE_SESSIONS)
    form = InvitationForm(request.POST or None, user=request.user)
    if form.is_valid():
        assert isinstance(request.user, User)
        wanted = dict(form.cleaned_data)
        try:
            invite.make_invitation(user=request.user, prefix=wanted.pop("name_prefix"), **wanted)
        except SessionNameError as problem:
            form.add_error("name_prefix", reasons.name_problem(problem))
        else:
            return redirect("sessions:invitations")
    context = {"room": "sessions", "form": form, "invitations": _invitation_rows(request)}
    status = UNPROCESSABLE if form.is_bound else 200
    return render(request, "invitations/invitations.html", context, status=status)


def _invitation_rows(request: HttpRequest) -> list[dict[str, Any]]:
    came = InvitationVisit.objects.exclude(came_at=None).select_related("session")
    rows = invitations_of(request.user).annotate(
        came=Count("visits", filter=Q(visits__came_at__isnull=False)), asked=Count("visits")
    )
    guests = Prefetch("visits", queryset=came.order_by("-came_at"), to_attr="guests")
    makers: dict[int, User] = {}
    shown = list(rows.prefetch_related(guests)[:SHOWN])
    for row in shown:
        if row.made_by is not None:  # one object for each maker, so that roles are read once
            row.made_by = makers.setdefault(row.made_by.pk, row.made_by)
    return [_invitation_row(row) for row in shown]


def _invitation_row(row: Invitation) -> dict[str, Any]:
    guests = getattr(row, "guests")[:SHOWN]  # noqa: B009 - set by the prefetch
    why = invite.why_over(row)
    maker = row.made_by.display_name if row.made_by is not None else ""
    return {
        "row": row,
        "maker": maker,
        "why": why,
        "why_words": _why_words(why, apart(maker)),
        "address": "" if why else invite.address(row),
        "guests": guests,
    }


def _why_words(why: Why | None, maker: str) -> str:
    """Why it ended, for who lost the right to invite. Those with a time are in the template."""
    match why:
        case Why.DELETED:
            return _("Ended: the member who made it was deleted.")
        case Why.DISABLED:
            return _("Ended: %(name)s, who made it, is disabled.") % {"name": maker}
        case Why.ROLE:
            words = _("Ended: %(name)s, who made it, may no longer manage accounts.")
            return words % {"name": maker}
        case Why.TEAM:
            words = _("Ended: %(name)s, who made it, is no longer in this team.")
            return words % {"name": maker}
    return ""


@posted("sessions:invitations", of_the_same=False)
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    invite.revoke(invitation=invitation_or_404(request.user, pk))
    return redirect("sessions:invitations")
