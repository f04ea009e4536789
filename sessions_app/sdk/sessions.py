"""`WeiLink.sessions`: a read-only mapping from names to handles, `default` always and first.

A handle holds only a name; every property reads the folder.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from sessions_app.folder.store import Listing, StoredToken
from sessions_app.sessions import names

if TYPE_CHECKING:
    from .login import BotInfo
    from .weilink import WeiLink


class SessionHandle:
    """One session by name. `default` is an ordinary name here."""

    def __init__(self, weilink: "WeiLink", name: str) -> None:
        self._weilink = weilink
        self.name = name

    @property
    def bot_id(self) -> str | None:
        token = self._token
        return token.bot_id if token else None

    @property
    def user_id(self) -> str | None:
        token = self._token
        return token.user_id if token else None

    @property
    def created_at(self) -> float | None:
        """In epoch seconds."""
        token = self._token
        return token.created_at_s if token else None

    @property
    def is_connected(self) -> bool:
        """Whether it has credentials that WeChat has not refused."""
        return self._weilink.is_session_connected(self.name)

    @property
    def is_default(self) -> bool:
        return self._weilink.default_name == self.name

    @property
    def problem(self) -> str:
        """Why its folder cannot be used, as a sentence, or "" if it can."""
        found = self._weilink.scan().get(self.name)
        return found.reason if found else ""

    def login(self, force: bool = False) -> "BotInfo":
        return self._weilink.login(self.name, force=force)

    def logout(self) -> None:
        self._weilink.logout(self.name)

    def rename(self, new_name: str) -> None:
        self._weilink.rename_session(self.name, new_name)
        self.name = names.clean_session_name(new_name)

    def set_default(self) -> None:
        self._weilink.set_default(self.name)

    def __repr__(self) -> str:
        return f"<session {self.name!r}>"

    @property
    def _token(self) -> StoredToken | None:
        found = self._weilink.scan().get(self.name)
        return found.token if found else None


class Sessions(Mapping[str, SessionHandle]):
    """The sessions as they were when `WeiLink.sessions` was read. Prints as the list of names."""

    def __init__(self, weilink: "WeiLink", listing: Listing) -> None:
        safe = sorted(session.name for session in listing.sessions if _is_name(session.name))
        self._names = [names.DEFAULT, *(name for name in safe if name != names.DEFAULT)]
        self._weilink = weilink

    def __getitem__(self, name: str) -> SessionHandle:
        if name not in self._names:
            raise KeyError(name)
        return SessionHandle(self._weilink, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return repr(self._names)


def _is_name(name: str) -> bool:
    try:
        return names.clean_session_name(name) == name
    except names.BadSessionName:
        return False
