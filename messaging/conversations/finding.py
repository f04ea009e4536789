"""Finds contacts by a part of their name; Chinese names by pinyin, too. Reads only.

All conversations are searched by name, but only the newest `BY_PINYIN` by pinyin.
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
"""The end of every WeChat id. Left out, since it would match every search for its letters."""


def folded_contact(contact: Contact) -> str:
    """What searches of every team look in: the contact's number and WeChat id."""
    return fold(f"{contact.number:04d} {contact.user_id.removesuffix(DOMAIN)}")[:700]


def folded_name(name: str) -> str:
    """What searches of the team that gave this name look in, too."""
    return fold(name)[:700]


def contact_matches(words: str) -> Q:
    """Conversations whose contact matches all of `words`, in any order, case or accent.

    Names count in conversations of the team that gave them, and nowhere else.
    "Customer 0042", which is shown for a contact without a name, matches by the number alone.
    """
    found = searched_words(words)
    matches = Q() if found else Q(pk__in=[])
    for word in found:
        matches &= Q(contact__folded__contains=word) | Q(team_contact__folded__contains=word)
    return matches


def searched_words(words: str) -> list[str]:
    """What `contact_matches` looks for in number, WeChat id and name. Empty: nothing matches."""
    folded = fold(words)
    for shown in _nameless():
        rest = folded.removeprefix(shown).strip()
        folded = rest if rest.isdecimal() else folded
    return [word.removesuffix(DOMAIN) for word in folded.split()[:MAX_WORDS]]


def people_named(user: Visitor, words: str, *, limit: int = 8) -> list[Conversation]:
    """Newest first. Matches by name come before matches by pinyin."""
    rows = conversations_of(user).select_related("contact", "team_contact", "session")
    rows = rows.order_by("-last_at", "-id")
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
    """The word before the number of a contact without a name, in each language, folded."""
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
        if any(way.startswith(letters) for way in ways_to_type(row.contact_words.name)):
            found.append(row)
    return found


@lru_cache(maxsize=5_000)
def ways_to_type(name: str) -> tuple[str, ...]:
    """李娜 → ("ln", "lina"); empty for a name without Chinese characters."""
    if name.isascii():
        return ()
    from pypinyin import Style, lazy_pinyin

    initials = lazy_pinyin(name, style=Style.FIRST_LETTER)
    return "".join(initials).lower(), "".join(lazy_pinyin(name)).lower()
