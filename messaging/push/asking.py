"""Makes the frame of one reader as the answer to their page's own question, without a request.

Used where the open conversation changed: what stands around it depends on the reader and on the
account that the Send button names. Access is checked anew.
"""

import json
from collections.abc import Mapping

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, QueryDict

from messaging.inbox.views.panes import news
from messaging.push.drawing import Manner, drawn_in
from sessions_app.models import User
from sessions_app.people.roles import Capability, may
from sessions_app.realtime.frames import Reader
from sessions_app.templatetags.console import pairs


def frame_as_asked(reader: Reader, known: Mapping[str, int]) -> str | None:
    """The frame as JSON; None if the reader may not see it now. `known`: their stream numbers."""
    user = User.objects.filter(pk=reader.user.pk, is_active=True).first()
    if user is None or not may(user, Capability.READ_CONVERSATIONS):
        return None
    shown = reader.shown
    try:
        with drawn_in(Manner.of(reader)):
            answer = news(_request(reader, user, known))
    except PermissionDenied:
        return None
    frame = {
        "type": "frame",
        "from": dict(known),
        "list": shown.query,
        "open": str(shown.open or ""),
        "account": str(shown.account or ""),
        "html": answer.content.decode(),
    }
    return json.dumps(frame, ensure_ascii=False)


def _request(reader: Reader, user: User, known: Mapping[str, int]) -> HttpRequest:
    """What the page itself would send."""
    shown, request = reader.shown, HttpRequest()
    request.method, request.user = "GET", user
    request.COOKIES = dict(reader.cookies)
    asks = QueryDict(mutable=True)
    asks.update({"since": pairs(known), "list": shown.query})
    if shown.open is not None:
        asks["open"] = str(shown.open)
    if shown.account is not None:
        asks["account"] = str(shown.account)
    request.GET = asks  # type: ignore[assignment]
    token = request.COOKIES.get(settings.CSRF_COOKIE_NAME)
    if token:
        request.META["CSRF_COOKIE"] = token  # its forms carry the page's own token
    return request
