"""`/settings/release/`: an administrator lets a held copy receive and send."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sessions_app.installation import standing
from sessions_app.models import User
from sessions_app.people.roles import Capability
from sessions_app.sessions.access import require


@require_http_methods(["GET", "POST"])
def release(request: HttpRequest) -> HttpResponse:
    """Asks for confirmation: a second installation on the same bots would lose messages."""
    require(request.user, Capability.ADMINISTER)
    found = standing.standing()
    if not found.is_held:
        return redirect("home")
    if request.method == "GET":
        return render(request, "settings/release.html", {"standing": found})
    user = request.user if isinstance(request.user, User) else None
    if standing.release(user=user):
        words = _("Released: this console receives and sends now.")
        messages.success(request, words, extra_tags="ok")
    return redirect("sessions:board")
