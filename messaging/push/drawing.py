"""Draws a row of the list once for all its readers.

What differs between readers is left open and filled in for each of them: the list that a link leads
back to, the place in that list, and the two chips that only some see (the reader's own draft; the
assignee, whom others see).
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.html import escape

from messaging.inbox import row_presentation
from messaging.inbox.list_queries import Beside
from messaging.inbox.lists import Listing, Sort, row_key
from messaging.inbox.row_presentation import Chip, Row
from messaging.models import Conversation
from sessions_app.realtime.frames import Reader
from sessions_app.team_settings.limits import TeamSettings
from sessions_app.templatetags.console import chip

_SECRET = secrets.token_hex(16)
"""Nobody who writes to a bot knows it, so no name or text is taken for an open place."""
_SUFFIX, _KEY, _CHIPS = f"suffix{_SECRET}", f"key{_SECRET}", f"chips{_SECRET}"


@dataclass(frozen=True, slots=True)
class Manner:
    """How a page is drawn: the readers who share it share its markup."""

    language: str
    zone: str
    may_answer: bool

    @classmethod
    def of(cls, reader: Reader) -> "Manner":
        """With the language and the zone that the page says it was drawn in."""
        shown = reader.shown
        known = {code.lower(): code for code, _name in settings.LANGUAGES}
        language = known.get(shown.language.lower(), settings.LANGUAGE_CODE)
        return cls(language, shown.zone, reader.may_answer)


@contextmanager
def drawn_in(manner: Manner) -> Iterator[None]:
    with translation.override(manner.language), timezone.override(_zone(manner.zone)):
        yield


def _zone(name: str) -> ZoneInfo | None:
    """None: the console's own."""
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError):  # not a zone of this host
        return None


@dataclass(frozen=True, slots=True)
class SharedRow:
    """One row as all readers of one `Manner` have it, with its open places.

    `writers`: users who have a draft there. `chips`: each with the reason why not all see it.
    """

    html: str
    keys: dict[Sort, str]
    chips: list[tuple[str, str]]
    assignee_id: int | None
    writers: frozenset[int]

    def for_reader(self, listing: Listing, reader_id: int) -> str:
        chips = "".join(words for words, only in self.chips if self._sees(only, reader_id))
        html = self.html.replace(_PLACE_OF_CHIPS, chips)
        html = html.replace(_SUFFIX, escape(listing.suffix))
        return html.replace(_KEY, self.keys[listing.sort])

    def _sees(self, only: str, reader_id: int) -> bool:
        if only == "draft":
            return reader_id in self.writers
        return only != "assignee" or reader_id != self.assignee_id


_PLACE_OF_CHIPS = str(chip(Chip(_CHIPS)))


def shared_row(
    conversation: Conversation,
    beside: Beside,
    writers: frozenset[int],
    *,
    manner: Manner,
    now: datetime,
    limits: TeamSettings,
) -> SharedRow:
    """Draw the row. Call it inside `drawn_in(manner)`."""
    seen_by_all = replace(beside, has_draft=bool(writers))
    row = row_presentation.row(conversation, now=now, limits=limits, beside=seen_by_all)
    html = render_to_string("inbox/_row.html", _context(row, manner))
    return SharedRow(
        html=html,
        keys={sort: row_key(conversation, sort, now=now) for sort in Sort},
        chips=[(str(chip(one)), one.only) for one in row.chips],
        assignee_id=conversation.assignee_id,
        writers=writers,
    )


def _context(row: Row, manner: Manner) -> dict[str, object]:
    return {
        "row": replace(row, key=_KEY, chips=[Chip(_CHIPS)]),
        "listing": SimpleNamespace(suffix=_SUFFIX),
        "console": SimpleNamespace(may_answer=manner.may_answer),
    }
