"""Scan links in the console: create them in the QR dialog or for a session, list, revoke."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from sessions_app.board.pages import changes_page, owner_links, refused, shown_link
from sessions_app.links import scan_links as owner
from sessions_app.models import User
from sessions_app.pages.answers import card, is_htmx, posted
from sessions_app.people.roles import Capability
from sessions_app.sessions.access import login_or_404, require, scan_link_or_404, session_or_404


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


@require_http_methods(["GET", "POST"])
def make(request: HttpRequest, name: str) -> HttpResponse:
    """Create a link for a session that must be scanned. GET shows the live link if there is one."""
    require(request.user, Capability.MANAGE_SESSIONS)
    session = session_or_404(request.user, name)
    if session.state not in owner.SCANNABLE_STATES:
        return refused(request, _("“%(name)s” is already connected.") % {"name": session.name})
    if request.method == "POST":
        owner.make_link(
            user=_actor(request), team=session.team, session_name=session.name, session=session
        )
        if not is_htmx(request):
            return redirect("sessions:link", session.name)
    link = shown_link(owner.link_to(session))
    context = {"link": link, "session": session, "title": _("Link for the owner")}
    return card(request, "links/owner_link.html", context)


@posted("sessions:login")
def make_for_login(request: HttpRequest, login_id: str) -> HttpResponse:
    """Create a link from the QR dialog, to the same QR code."""
    attempt = login_or_404(request.user, login_id)
    if not attempt.is_final:
        owner.make_link(
            user=_actor(request),
            team=attempt.team,
            session_name=attempt.session_name,
            session=attempt.session,
            attempt=attempt,
        )
    return changes_page(request) if is_htmx(request) else redirect("sessions:login", login_id)


@require_GET
def links(request: HttpRequest) -> HttpResponse:
    require(request.user, Capability.MANAGE_SESSIONS)
    context = {"room": "sessions", "owner_links": owner_links(request)}
    return render(request, "links/links.html", context)


@posted("sessions:links", of_the_same=False)
def revoke(request: HttpRequest, link_id: str) -> HttpResponse:
    link = scan_link_or_404(request.user, link_id)
    owner.revoke_link(link=link)
    if is_htmx(request):
        return changes_page(request)
    if link.session is not None and link.session.deleted_at is None:
        return redirect("sessions:session", link.session.name)
    return redirect("sessions:links")
