"""Finds people by what somebody types of their name; Chinese names by their pinyin too. Reads only.

Any conversation is found by the letters of its name; by pinyin only the newest `BY_PINYIN` are.
"""

from collections.abc import Iterable
from functools import lru_cache

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext, override

from messaging.conversations.access import conversations_of
from messaging.models import Contact, Conversation
from sessions_app.people.roles import Visitor
from sessions_app.text.folding import fold

BY_PINYIN = 500
MAX_WORDS = 8
DOMAIN = "im.wechat"
"""Ends every person's id, so it would fit everybody who is searched by one of its letters."""


def folded_contact(contact: Contact) -> str:
    """What a search for this person looks in: the name as it is shown anywhere, number and id."""
    shown = [contact.name, f"{contact.number:04d}", contact.user_id.removesuffix(DOMAIN)]
    return fold(" ".join(shown))[:700]


def contact_matches(words: str) -> Q:
    """Conversations with people whom all of `words` fit, in any order, case or accent.

    "Customer 0042", as a person without a name is shown, is the number alone.
    """
    folded = fold(words)
    for shown in _nameless():
        rest = folded.removeprefix(shown).strip()
        folded = rest if rest.isdecimal() else folded
    found = folded.split()[:MAX_WORDS]
    matches = Q() if found else Q(pk__in=[])
    for word in found:
        matches &= Q(contact__folded__contains=word.removesuffix(DOMAIN))
    return matches


def people_named(user: Visitor, words: str, *, limit: int = 8) -> list[Conversation]:
    """Newest first; those whose letters fit before those whose pinyin does."""
    rows = conversations_of(user).select_related("contact", "session").order_by("-last_at", "-id")
    fitting = contact_matches(words)
    if words.isascii() and words.isdigit() and len(words) < 10:
        fitting |= Q(contact__number=int(words))
    found = list(rows.filter(fitting)[:limit])
    if len(found) < limit and is_pinyin(words):
        known = {one.pk for one in found}
        heard = (one for one in rows[:BY_PINYIN] if one.pk not in known)
        found += _sounding(heard, words.lower(), limit - len(found))
    return found


@lru_cache(maxsize=1)
def _nameless() -> tuple[str, ...]:
    """What stands before the number of a person without a name, in each language, folded."""
    found = []
    for language, _name in settings.LANGUAGES:
        with override(language):
            found.append(fold(gettext("Customer %(number)s") % {"number": ""}))
    return tuple(found)


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
