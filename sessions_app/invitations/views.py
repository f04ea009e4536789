"""The public page of an invitation, where a visitor requests a QR code and scans it.

Opening the page requests nothing, because link previews and crawlers open pages; the button does. A
cookie limited to this address identifies the visitor.
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from sessions_app.invitations import invitations
from sessions_app.invitations.invitations import InvitationFull, InvitationOver
from sessions_app.links.views import LAST_VERSION, NOT_FOUND, attempt_context, public
from sessions_app.login import attempts
from sessions_app.models import Invitation, InvitationVisit
from sessions_app.pages.answers import UNPROCESSABLE

COOKIE = "weilink_visit"
COOKIE_AGE_S = 30 * 24 * 3_600
TOO_MANY = 429


def _visit(request: HttpRequest, invitation: Invitation) -> InvitationVisit | None:
    return invitations.visit_of(invitation, request.COOKIES.get(COOKIE, ""))


def _over(request: HttpRequest, template: str, sentence: str, status: int) -> HttpResponse:
    context = {"sentence": sentence, "version": LAST_VERSION}
    return render(request, template, context, status=status)


def _ended(request: HttpRequest, template: str = "links/scan.html") -> HttpResponse:
    """A revoked invitation and an unknown code get the same answer."""
    return _over(request, template, _("This invitation has ended."), NOT_FOUND)


@public
@require_GET
def page(request: HttpRequest, code: str) -> HttpResponse:
    return _look(request, code, "links/scan.html")


@public
@require_GET
def state(request: HttpRequest, code: str) -> HttpResponse:
    return _look(request, code, "links/scan_state.html")


def _look(request: HttpRequest, code: str, template: str) -> HttpResponse:
    try:
        found = invitations.find(code)
    except InvitationOver:
        return _ended(request, template)
    return render(request, template, _context(found, _visit(request, found)))


@public
@require_POST
def again(request: HttpRequest, code: str) -> HttpResponse:
    """The button: request a first QR code, or a new one after the last expired."""
    try:
        found = invitations.find(code)
        visit = invitations.enter(found, _visit(request, found))
    except InvitationOver:
        return _ended(request)
    except InvitationFull as full:
        words = _("This invitation is full.")
        if not full.for_good:
            words = _("Too many people have come in the past hour. Try again in an hour.")
        return _over(request, "links/scan.html", words, TOO_MANY)
    response = _watch(code)
    response.set_cookie(
        COOKIE,
        visit.pk,
        max_age=COOKIE_AGE_S,
        path=reverse("invite:page", args=[code]),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


@public
@require_POST
def digits(request: HttpRequest, code: str) -> HttpResponse:
    try:
        found = invitations.find(code)
    except InvitationOver:
        return _ended(request)
    visit = _visit(request, found)
    try:
        if visit is not None and visit.attempt is not None:
            attempts.give_verify_code(attempt=visit.attempt, code=request.POST.get("code", ""))
    except ValueError as problem:
        context = {**_context(found, visit), "digits_error": str(problem)}
        return render(request, "links/scan.html", context, status=UNPROCESSABLE)
    except attempts.VerifyCodeNotWanted:
        pass  # the login has moved on: the page shows its state
    return _watch(code)


def _watch(code: str) -> HttpResponse:
    return redirect(reverse("invite:page", args=[code]) + "?watch")


def _context(invitation: Invitation, visit: InvitationVisit | None) -> dict[str, Any]:
    context: dict[str, Any] = {
        "alive": True,
        "page_url": reverse("invite:page", args=[invitation.code]),
        "heading": _("Connect with WeChat"),
    }
    if visit is None or visit.attempt is None:
        return {**context, "may_start_again": True, "is_first": True}
    context |= attempt_context(visit.attempt)
    context["may_start_again"] = context["may_start_again"] and visit.came_at is None
    return context
