"""Django's sessions of browsers, kept under a digest of the key that the browser has.

Whoever reads the database, or a backup of it, cannot sign in with what they find there.
"""

import hashlib
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

KEY_CHARACTERS = 40
"""Django's column is no wider. 160 bits of a digest are enough: a key has 165 random bits."""


def digest_of(key: str) -> str:
    """What stands in the database for this key. A key is random, so it needs no salt."""
    return hashlib.sha256(f"login:{key}".encode()).hexdigest()[:KEY_CHARACTERS]


class SessionStore(DatabaseStore):
    """SESSION_ENGINE. `session_key` is the browser's; rows have `digest_of` it."""

    def _get_session_from_db(self) -> Any:
        key = self.session_key
        if key is None:
            return None
        found = self.model.objects.filter(
            session_key=digest_of(key), expire_date__gt=timezone.now()
        ).first()
        if found is None:
            self._session_key = None
        return found

    async def _aget_session_from_db(self) -> Any:
        return await sync_to_async(self._get_session_from_db)()

    def exists(self, session_key: str | None) -> bool:
        return session_key is not None and super().exists(digest_of(session_key))

    async def aexists(self, session_key: str | None) -> bool:
        return session_key is not None and await super().aexists(digest_of(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row = super().create_model_instance(data)
        row.session_key = digest_of(row.session_key)
        return row

    async def acreate_model_instance(self, data: dict[str, Any]) -> Any:
        row = await super().acreate_model_instance(data)
        row.session_key = digest_of(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            super().delete(digest_of(key))

    async def adelete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            await super().adelete(digest_of(key))
