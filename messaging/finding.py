"""Finds people by what somebody types of their name; Chinese names by their pinyin too. Reads only.

Any conversation is found by the letters of its name; by pinyin only the newest `BY_PINYIN` are.
"""

from collections.abc import Iterable
from functools import lru_cache

from django.db.models import Q

from messaging.access import conversations_of
from messaging.models import Conversation
from sessions_app.people.roles import Visitor

BY_PINYIN = 500


def people_named(user: Visitor, words: str, *, limit: int = 8) -> list[Conversation]:
    """Newest first; those whose letters fit before those whose pinyin does."""
    rows = conversations_of(user).select_related("contact", "session").order_by("-last_at", "-id")
    fitting = Q(contact__name__icontains=words) | Q(contact__user_id__istartswith=words)
    if words.isascii() and words.isdigit() and len(words) < 10:
        fitting |= Q(contact__number=int(words))
    found = list(rows.filter(fitting)[:limit])
    if len(found) < limit and is_pinyin(words):
        known = {one.pk for one in found}
        heard = (one for one in rows[:BY_PINYIN] if one.pk not in known)
        found += _sounding(heard, words.lower(), limit - len(found))
    return found


def is_pinyin(words: str) -> bool:
    return words.isascii() and words.isalpha()


def _sounding(rows: Iterable[Conversation], letters: str, limit: int) -> list[Conversation]:
    found: list[Conversation] = []
    for row in rows:
        if len(found) == limit:
            break
        if any(way.startswith(letters) for way in ways_to_type(row.contact.name)):
            found.append(row)
    return found


@lru_cache(maxsize=5_000)
def ways_to_type(name: str) -> tuple[str, ...]:
    """李娜 → ("ln", "lina"); a name without Chinese has none."""
    if name.isascii():
        return ()
    from pypinyin import Style, lazy_pinyin

    initials = lazy_pinyin(name, style=Style.FIRST_LETTER)
    return "".join(initials).lower(), "".join(lazy_pinyin(name)).lower()
