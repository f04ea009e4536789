"""What every page of the console shows around its content: navigation, accounts, worker.

Nothing is queried for visitors without a login, and nothing that the template does not use.
"""

from functools import cached_property

from django.http import HttpRequest

from messaging.inbox.heard import Heard, heard_since
from messaging.inbox.views.rows import ViewLink, counts, number_words, view_links
from sessions_app.board.banners import Banner, banners_for
from sessions_app.board.queries import (
    RailAccount,
    Tiles,
    Worker,
    board_tiles,
    rail_accounts,
    worker,
)
from sessions_app.installation.standing import Standing, recent_standing
from sessions_app.models import User
from sessions_app.people.preferences import Preferences, preferences_of
from sessions_app.people.roles import Capability, may
from sessions_app.realtime.page_numbers import asked, newest_message, pin_numbers
from weilink_site.pages.texts import texts

RAIL_LENGTH = 12


class Console:
    """Lazy: each part is queried when a template uses it, once per request."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._user = request.user

    @cached_property
    def streams(self) -> dict[str, int]:
        """The stream numbers. Views that show rows read these before the rows."""
        return pin_numbers(self._request)

    @cached_property
    def worker(self) -> Worker:
        return worker()

    @property
    def standing(self) -> Standing:
        """Whether this installation is a copy that is held, or was moved."""
        return recent_standing()

    @property
    def unread(self) -> str:
        return number_words(counts(self._request).unread) if self.may_read else ""

    @property
    def waiting(self) -> str:
        """The number of conversations that wait for this user, for the title and the icon."""
        return number_words(counts(self._request).waiting) if self.may_answer else ""

    @cached_property
    def views(self) -> list[ViewLink]:
        return view_links(self._request) if self.may_read else []

    @cached_property
    def newest_message(self) -> int:
        return newest_message(self._request)

    @cached_property
    def heard(self) -> list[Heard]:
        """Who wrote since the page's stream numbers, if the request names them."""
        since = asked(self._request).since if self.may_read else None
        return heard_since(self._user, since) if since is not None else []

    @cached_property
    def accounts(self) -> list[RailAccount]:
        return rail_accounts(self._user, limit=RAIL_LENGTH) if self.has_role else []

    @cached_property
    def banners(self) -> list[Banner]:
        return banners_for(self._user) if self.has_role else []

    @cached_property
    def tiles(self) -> Tiles:
        return board_tiles(self._user)

    @cached_property
    def preferences(self) -> Preferences:
        return preferences_of(self._user)

    @property
    def texts(self) -> dict[str, str]:
        return texts()

    @cached_property
    def may_board(self) -> bool:
        return may(self._user, Capability.SEE_BOARD)

    @cached_property
    def may_manage(self) -> bool:
        return may(self._user, Capability.MANAGE_SESSIONS)

    @cached_property
    def may_read(self) -> bool:
        return may(self._user, Capability.READ_CONVERSATIONS)

    @cached_property
    def may_answer(self) -> bool:
        return may(self._user, Capability.ANSWER)

    @property
    def has_role(self) -> bool:
        return self.may_board or self.may_read

    @cached_property
    def may_administer(self) -> bool:
        return may(self._user, Capability.ADMINISTER)

    @property
    def may_admin(self) -> bool:
        return isinstance(self._user, User) and self._user.is_active and self._user.is_staff


def console(request: HttpRequest) -> dict[str, Console]:
    """Context processor. Error pages of a broken request may have no user."""
    user = getattr(request, "user", None)
    return {"console": Console(request)} if isinstance(user, User) else {}
