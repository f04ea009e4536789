"""Who looks at a conversation and who types in it. Kept in Django's cache for some seconds.

Pages renew entries; others expire. Only changes are announced: announcing the renewals of hundreds
of agents would cost too much, so pages ask again for the rows that show somebody. Without a cache
nobody is shown, and nothing else fails. See docs/decisions/0004.
"""

import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.utils import timezone

from messaging.models import Conversation
from sessions_app.models import User
from sessions_app.realtime.streams import tell

logger = logging.getLogger(__name__)

LOOKS_FOR_S = 45
"""Pages renew every 10 s."""
TYPES_FOR_S = 20
"""A page that stops says so at once; this is for pages that disappear."""


@dataclass(frozen=True, slots=True)
class Present:
    """One member at one conversation; `until` and `types_until` are epoch seconds."""

    user_id: int
    name: str
    until: float
    types_until: float = 0.0

    def types(self, now: datetime) -> bool:
        return self.types_until > now.timestamp()


def arrive(*, user: User, conversation: Conversation, types: bool) -> list[Present]:
    """Record that the user looks or types. Returns everybody there, including the user."""
    now = timezone.now().timestamp()
    mine = Present(
        user.pk, user.display_name, now + LOOKS_FOR_S, now + TYPES_FOR_S if types else 0.0
    )
    return _write(conversation, user, mine)


def leave(*, user: User, conversation: Conversation) -> list[Present]:
    return _write(conversation, user, None)


def clear(conversation_ids: Iterable[int]) -> None:
    """Drop who is there, of conversations that are deleted."""
    try:
        cache.delete_many([_key(pk) for pk in conversation_ids])
    except Exception:
        logger.warning("presence could not be cleared", exc_info=True)


def _write(conversation: Conversation, user: User, mine: Present | None) -> list[Present]:
    """Two writes at once may lose one of them; the next renewal repairs that."""
    there = {one.user_id: one for one in _living(_read([conversation.pk]).get(conversation.pk))}
    before = there.pop(user.pk, None)
    if mine is not None:
        there[user.pk] = mine
    people = list(there.values())
    try:
        cache.set(_key(conversation.pk), [asdict(one) for one in people], LOOKS_FOR_S)
    except Exception:
        logger.warning("presence could not be stored", exc_info=True)
    if _look_of(before) != _look_of(mine):
        notice = {"about": f"presence:{conversation.pk}", "people": [asdict(one) for one in people]}
        tell(f"team:{conversation.team_id}", notice)
    return people


def _look_of(one: Present | None) -> str:
    """What others see of a member."""
    return "" if one is None else "types" if one.types(timezone.now()) else "looks"


def present_in(conversations: Iterable[Conversation]) -> dict[int, list[Present]]:
    """Conversation id → members there. No query; one call to the cache."""
    kept = _read([one.pk for one in conversations])
    return {pk: people for pk, values in kept.items() if (people := _living(values))}


def present_at(conversation: Conversation) -> list[Present]:
    return present_in([conversation]).get(conversation.pk, [])


def _read(ids: Iterable[int]) -> dict[int, Any]:
    keys = {_key(pk): pk for pk in ids}
    try:
        return {keys[key]: value for key, value in cache.get_many(list(keys)).items()}
    except Exception:
        logger.warning("presence could not be read", exc_info=True)
        return {}


def _living(values: Any) -> list[Present]:
    now = timezone.now().timestamp()
    people = [Present(**value) for value in values or []]
    return [one for one in people if one.until > now]


def _key(pk: int) -> str:
    return f"presence:{pk}"
