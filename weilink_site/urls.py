"""All URLs of the console. `tests/test_doors.py` lists those that need no login."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import include, path
from django.utils.translation import gettext as _
from django.views.generic import RedirectView

from messaging.api import app as api
from messaging.inbox.leaving import disable, leave
from messaging.inbox.views.palette import palette
from messaging.inbox.views.settings import introduction, settings
from sessions_app.board.views.installation import release
from sessions_app.people import views as people
from sessions_app.people.roles import Capability, may
from weilink_site.health import healthz, readyz
from weilink_site.monitoring.metrics_page import metrics
from weilink_site.pages.refusals import token


def home(request: HttpRequest) -> HttpResponse:
    """Redirect to the inbox or the board, whichever the user may see."""
    if may(request.user, Capability.READ_CONVERSATIONS):
        return redirect("inbox:inbox")
    if may(request.user, Capability.SEE_BOARD):
        return redirect("sessions:board")
    context = {
        "glyph": "users",
        "title": _("You have no role yet"),
        "sentence": _("Ask an administrator to give you one; then reload this page."),
    }
    return render(request, "parts/calm.html", context)


def admin_door(request: HttpRequest) -> HttpResponse:
    """Redirect to the console's login, so that the admin has none of its own."""
    if not getattr(request.user, "is_staff", False):
        raise PermissionDenied
    return redirect("admin:index")


handler400 = "weilink_site.pages.error_pages.bad_request"
handler403 = "weilink_site.pages.error_pages.permission_denied"
handler404 = "weilink_site.pages.error_pages.page_not_found"
handler500 = "weilink_site.pages.error_pages.server_error"

urlpatterns = [
    path("", home, name="home"),
    path("accounts/", include("sessions_app.people.urls")),
    path("i18n/", people.own_language, name="set_language"),
    path("sessions/", include("sessions_app.urls")),
    path("scan/", include("sessions_app.links.urls")),
    path("invite/", include("sessions_app.invitations.urls")),
    path("inbox/", include("messaging.urls")),
    path("people/audit/", include("sessions_app.audit.urls")),
    path("people/<int:pk>/disable/", disable, name="disable_person"),
    path("people/", include("sessions_app.people.directory.urls")),
    path("", include("sessions_app.people.directory.public_urls")),
    path("account/token/", token, name="token"),
    path("account/leaving/", leave, name="leaving"),
    path("account/", include("sessions_app.people.account.urls")),
    path("palette/", palette, name="palette"),
    path("settings/", settings, name="settings"),
    path("settings/release/", release, name="release"),
    path("settings/teams/<int:pk>/", introduction, name="introduction"),
    path("api/v1/", api.urls()),
    path("api/docs", api.docs, name="api_docs"),
    path("admin/login/", admin_door),
    path("admin/password_change/", RedirectView.as_view(pattern_name="account:account")),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
