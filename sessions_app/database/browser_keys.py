"""The logins of browsers, kept under a digest of the key that the browser has.

Whoever reads the database, or a backup of it, cannot sign in with what they find there.
"""

import hashlib
from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.apps import apps
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

KEY_CHARACTERS = 40
"""Django's column is no wider. 160 bits of a digest are enough: a key has 165 random bits."""


def digest_of(key: str) -> str:
    """What stands in the database for this key. A key is random, so it needs no salt."""
    return hashlib.sha256(f"login:{key}".encode()).hexdigest()[:KEY_CHARACTERS]


def ends_at(signed_in_at: datetime, seen_at: datetime) -> datetime:
    """When a login ends that is not used again: the earlier of the two limits."""
    return min(seen_at + settings.SIGN_IN_IDLE, signed_in_at + settings.SIGN_IN_MAX)


class SessionStore(DatabaseStore):
    """SESSION_ENGINE. `session_key` is the browser's; rows have `digest_of` it.

    `row`: the row as it was loaded, None before. `browser` and `address`: where the request comes
    from, stored with the next write.
    """

    row: Any = None
    browser = address = ""

    @classmethod
    def get_model_class(cls) -> Any:
        return apps.get_model("sessions_app", "SignedInBrowser")

    def _get_session_from_db(self) -> Any:
        key, now = self.session_key, timezone.now()
        if key is None:
            return None
        alive = self.model.objects.filter(session_key=digest_of(key), expire_date__gt=now)
        found: Any = alive.first()
        if found is None or ends_at(found.signed_in_at, found.seen_at) <= now:
            self._session_key = None  # a limit may have been lowered since the row was written
            return None
        self.row = found
        return found

    async def _aget_session_from_db(self) -> Any:
        return await sync_to_async(self._get_session_from_db)()

    def exists(self, session_key: str | None) -> bool:
        return session_key is not None and super().exists(digest_of(session_key))

    async def aexists(self, session_key: str | None) -> bool:
        return session_key is not None and await super().aexists(digest_of(session_key))

    def create(self) -> None:
        self.row = None
        super().create()

    async def acreate(self) -> None:
        self.row = None
        await super().acreate()

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        return self._completed(super().create_model_instance(data), data)

    async def acreate_model_instance(self, data: dict[str, Any]) -> Any:
        return self._completed(await super().acreate_model_instance(data), data)

    def _completed(self, row: Any, data: dict[str, Any]) -> Any:
        """The row with our own columns: as they were loaded, or those of a login that begins."""
        now, known = timezone.now(), self.row
        row.session_key = digest_of(row.session_key)
        row.user_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        row.signed_in_at = known.signed_in_at if known else now
        row.seen_at = known.seen_at if known else now
        row.browser = self.browser or (known.browser if known else "")
        row.address = self.address or (known.address if known else "")
        row.expire_date = ends_at(row.signed_in_at, row.seen_at)
        return row

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            super().delete(digest_of(key))

    async def adelete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            await super().adelete(digest_of(key))
