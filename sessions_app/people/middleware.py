"""Sets each reader's language and time zone, and looks after their login."""

import zoneinfo
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation

from sessions_app.people import browsers
from sessions_app.people.models import User

ZONE_COOKIE = "weilink_zone"
NEW_PASSWORD = "account:new_password"  # noqa: S105 - a page
OPEN_BEFORE_IT = {NEW_PASSWORD, "accounts:logout", "set_language"}


class ReaderMiddleware:
    """Uses the user's own settings, or else the language and time zone that the browser sends."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if isinstance(user, User) and user.language:
            translation.activate(user.language)
            request.LANGUAGE_CODE = user.language
        chosen = user.time_zone if isinstance(user, User) else ""
        zone = _zone(chosen) or _zone(request.COOKIES.get(ZONE_COOKIE, ""))
        if zone is None:
            return self.get_response(request)
        with timezone.override(zone):
            return self.get_response(request)


def _zone(name: str) -> zoneinfo.ZoneInfo | None:
    if not name or len(name) > 64:
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return None


class BrowserMiddleware:
    """Notes that a browser is used. Leads users to the page of a new password if they must."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        browsers.say_where(request)
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Doors that need no login stay open: what stands behind them is not the user's."""
        if not isinstance(request.user, User):
            return None
        browsers.note_seen(request)
        if not request.user.must_change_password or not getattr(view, "login_required", True):
            return None
        if request.resolver_match and request.resolver_match.view_name in OPEN_BEFORE_IT:
            return None
        wanted = urlencode({"next": request.get_full_path()}) if request.method == "GET" else ""
        return redirect(f"{reverse(NEW_PASSWORD)}?{wanted}".rstrip("?"))
