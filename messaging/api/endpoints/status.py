"""`GET /status`: is anything connected? Covers the sessions that the caller may see."""

from importlib.metadata import PackageNotFoundError, version

from ninja import Router

from messaging.api.auth import ApiRequest, allowed
from messaging.api.errors import ERRORS
from messaging.api.schemas import StatusOut
from sessions_app.board import queries
from sessions_app.installation.standing import recent_standing
from sessions_app.people.tokens import Scope
from sessions_app.sessions.access import sessions_of

router = Router(tags=["status"])


def product_version() -> str:
    try:
        return version("weilink-console")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0.0.0"


@router.get("/status", response={200: StatusOut, **ERRORS}, summary="Version and connections")
def status(request: ApiRequest) -> StatusOut:
    """`bot_id` is the default session's; `is_connected`: at least one session receives.

    `is_held`: this is a copy of another installation, and nothing is received or sent here before
    an administrator releases it.
    """
    user = allowed(request, Scope.READ)
    connected = queries.receiving_count(user)
    default = queries.default_session(user)
    return StatusOut(
        version=product_version(),
        is_connected=connected > 0,
        bot_id=(default.bot_id if default else "") or None,
        session_count=sessions_of(user).count(),
        connected_count=connected,
        is_held=recent_standing().is_held,
    )
