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
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from sessions_app.invitations import invitations
from sessions_app.invitations.invitations import InvitationFull, InvitationOver, Why
from sessions_app.links.views import (
    GONE,
    LAST_VERSION,
    NOT_FOUND,
    attempt_context,
    public,
    uninvited_words,
)
from sessions_app.login import attempts
from sessions_app.models import Invitation, InvitationVisit, LoginState
from sessions_app.pages.answers import UNPROCESSABLE
from sessions_app.people.login_throttle import network_of
from sessions_app.team_settings.introductions import introduction_of

COOKIE = "weilink_visit"
COOKIE_AGE_S = 30 * 24 * 3_600
TOO_MANY = 429
PAGE, FRAGMENT = "links/scan.html", "links/scan_state.html"


def _arrive(request: HttpRequest, code: str) -> tuple[Invitation, InvitationVisit | None]:
    return invitations.arrive(code, request.COOKIES.get(COOKIE, ""))


def _ended(request: HttpRequest, over: InvitationOver, template: str = PAGE) -> HttpResponse:
    """One sentence. An unknown code gets the same as a revoked invitation.

    An open page draws only an answer that succeeds, so the fragment of what once was an invitation
    is one.
    """
    context = {"sentence": _over_words(over), "version": LAST_VERSION}
    status = GONE if over.why is Why.EXPIRED else NOT_FOUND
    if over.why is not None and template == FRAGMENT:
        status = 200
    return render(request, template, context, status=status)


def _over_words(over: InvitationOver) -> str:
    attempt = over.visit.attempt if over.visit is not None else None
    if attempt is not None and attempt.error_code == attempts.UNINVITED:
        if attempt.status == LoginState.OTHER_ACCOUNT:
            return uninvited_words()
        return _("This invitation has ended. Your WeChat account was not connected here.")
    if over.why is Why.EXPIRED:
        return _("This invitation has expired. Ask the people who gave it to you for a new one.")
    return _("This invitation has ended.")


def _full_words(full: InvitationFull) -> str:
    if not full.wait_s:
        return _("This invitation is full.")
    minutes = -(-full.wait_s // 60)
    if full.by_network:
        words = ngettext(
            "Too many codes were shown to your network in the past hour. "
            "Try again in %(minutes)d minute.",
            "Too many codes were shown to your network in the past hour. "
            "Try again in %(minutes)d minutes.",
            minutes,
        )
    else:
        words = ngettext(
            "Too many people have come in the past hour. Try again in %(minutes)d minute.",
            "Too many people have come in the past hour. Try again in %(minutes)d minutes.",
            minutes,
        )
    return words % {"minutes": minutes}


@public
@require_GET
def page(request: HttpRequest, code: str) -> HttpResponse:
    try:
        found, visit = _arrive(request, code)
    except InvitationOver as over:
        return _ended(request, over)
    return render(request, PAGE, _page_context(found, visit))


@public
@require_GET
def state(request: HttpRequest, code: str) -> HttpResponse:
    try:
        found, visit = _arrive(request, code)
    except InvitationOver as over:
        return _ended(request, over, FRAGMENT)
    return render(request, FRAGMENT, _context(found, visit))


@public
@require_POST
def again(request: HttpRequest, code: str) -> HttpResponse:
    """The button: request a first QR code, or a new one after the last expired."""
    try:
        found, visit = _arrive(request, code)
    except InvitationOver as over:
        return _ended(request, over)
    try:
        visit = invitations.enter(found, visit, network=_network(request))
    except InvitationOver as over:
        return _ended(request, over)
    except InvitationFull as full:
        return _full(request, found, full)
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


def _network(request: HttpRequest) -> str:
    return network_of(request.META.get("weilink.client") or request.META.get("REMOTE_ADDR", ""))


def _full(request: HttpRequest, invitation: Invitation, full: InvitationFull) -> HttpResponse:
    """The page as before, with the sentence; the button works again once there are codes."""
    context = _page_context(invitation, None)
    # No later fragment may replace the sentence.
    context |= {"sentence": _full_words(full), "tone": "warn", "version": LAST_VERSION}
    response = render(request, PAGE, context, status=TOO_MANY)
    if full.wait_s:
        response["Retry-After"] = str(full.wait_s)
    return response


@public
@require_POST
def digits(request: HttpRequest, code: str) -> HttpResponse:
    try:
        found, visit = _arrive(request, code)
    except InvitationOver as over:
        return _ended(request, over)
    try:
        if visit is not None and visit.attempt is not None:
            attempts.give_verify_code(attempt=visit.attempt, code=request.POST.get("code", ""))
    except ValueError as problem:
        context = {**_page_context(found, visit), "digits_error": str(problem)}
        return render(request, PAGE, context, status=UNPROCESSABLE)
    except attempts.VerifyCodeNotWanted:
        pass  # the login has moved on: the page shows its state
    return _watch(code)


def _watch(code: str) -> HttpResponse:
    return redirect(reverse("invite:page", args=[code]) + "?watch")


def _page_context(invitation: Invitation, visit: InvitationVisit | None) -> dict[str, Any]:
    """The whole page also introduces the team; the fragment leaves that alone."""
    inviter = introduction_of(invitation.team)
    return {**_context(invitation, visit), "inviter": inviter, "is_invitation": True}


def _context(invitation: Invitation, visit: InvitationVisit | None) -> dict[str, Any]:
    context: dict[str, Any] = {
        "alive": True,
        "page_url": reverse("invite:page", args=[invitation.code]),
        "heading": _("Connect with WeChat"),
    }
    if visit is None or visit.attempt is None:
        return {**context, "may_start_again": True, "is_first": True}
    context |= attempt_context(visit.attempt)
    is_live = invitations.why_over(invitation) is None
    is_here = visit.came_at is not None
    context["may_start_again"] = context["may_start_again"] and is_live and not is_here
    return context
