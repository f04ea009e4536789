"""Reads what changed in a team since a number, once for all readers, and makes their frames."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from django.db.models import Q
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils import timezone

from messaging.inbox.heard import Heard, heard_in
from messaging.inbox.list_conditions import mute_sessions
from messaging.inbox.list_membership import Facts, belongs
from messaging.inbox.list_queries import BesideAll, beside_all, whole_rows
from messaging.inbox.lists import Listing
from messaging.models import Conversation, Departure, Mention, Removal
from messaging.push.asking import frame_as_asked
from messaging.push.drawing import Manner, SharedRow, drawn_in, shared_row
from sessions_app.realtime.frames import Reader, Span
from sessions_app.team_settings.limits import TeamSettings, team_settings

NOWHERE = 0
"""No team has this key."""

MOST_ROWS = 50
"""If more changed at once, pages ask: each for the rows that its own list shows."""


def load(span: Span, team_id: int, named: Collection[int]) -> "Changed | None":
    """Read the changes of a team. None: too many. `named`: the conversations in the span's topics.

    Rows that changed again after the span are read as they are now; a later frame repeats them.
    """
    # A message may change without its conversation's row, such as a file that was downloaded.
    found = Conversation.objects.filter(Q(version__gt=span.start) | Q(pk__in=named), team=team_id)
    rows = list(whole_rows(found).order_by("-version")[: MOST_ROWS + 1])
    if len(rows) > MOST_ROWS:
        return None
    now, known = timezone.now(), {row.pk: row for row in rows}
    mentioned = _mentioned(known)
    mute = mute_sessions({row.session_id for row in rows if row.session_id is not None})
    facts = [Facts.of(row, mute=mute, mentioned=mentioned[row.pk]) for row in rows]
    return Changed(
        span=span,
        facts=facts,
        beside=beside_all(rows, now=now),
        heard=heard_in(known, {span.key: span.start}, now=now),
        departed=_departed(span, team_id, set(named) - set(known)),
        now=now,
        limits=team_settings(),
    )


def _mentioned(ids: Collection[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    unseen = Mention.objects.filter(conversation__in=ids, seen_at=None)
    for pk, user_id in unseen.values_list("conversation", "user"):
        found[pk].add(user_id)
    return found


def _departed(span: Span, team_id: int, missing: Collection[int]) -> dict[int, int]:
    """Conversations that left the team → their team now, `NOWHERE` for those that were deleted."""
    if not missing:
        return {}
    left = Departure.objects.filter(team=team_id, version__gt=span.start)
    gone = Removal.objects.filter(team=team_id, version__gt=span.start)
    removed = dict.fromkeys(gone.values_list("conversation_key", flat=True), NOWHERE)
    return dict(left.values_list("conversation", "conversation__team")) | removed


@dataclass
class Changed:
    """The changes of one span. Rows are drawn once per manner, equal frames are made once."""

    span: Span
    facts: Sequence[Facts]
    beside: Mapping[int, BesideAll]
    heard: Sequence[Heard]
    departed: Mapping[int, int]
    now: datetime
    limits: TeamSettings
    _rows: dict[Manner, list[SharedRow]] = field(default_factory=dict)
    _heard_html: dict[Manner, str] = field(default_factory=dict)
    _made: dict[Any, str] = field(default_factory=dict)

    @property
    def assignees(self) -> set[int]:
        """Whose own queue may count otherwise now."""
        rows = (one.conversation for one in self.facts)
        return {row.assignee_id for row in rows if row.assignee_id is not None}

    def is_open_at(self, reader: Reader) -> bool:
        return reader.shown.open is not None and reader.shown.open in self._ids

    def frames(self, readers: Sequence[Reader]) -> list[str | None]:
        return [self._frame(reader) for reader in readers]

    def frame_for(self, reader: Reader, known: Mapping[str, int]) -> str | None:
        return frame_as_asked(reader, known)

    @property
    def _ids(self) -> list[int]:
        return [*(one.conversation.pk for one in self.facts), *self.departed]

    def _frame(self, reader: Reader) -> str:
        manner = Manner.of(reader)
        if reader.shown.kind != "inbox":
            return self._once((manner,), lambda: self._text(manner, None, ""))
        listing = Listing.parse(QueryDict(reader.shown.query))
        user_id = reader.user.pk
        shown = [belongs(one, listing, reader_id=user_id, now=self.now) for one in self.facts]
        gone = [pk for pk, team in self.departed.items() if team not in reader.teams]
        key = (manner, reader.shown.query, tuple(shown), tuple(gone), self._own(user_id))
        return self._once(
            key,
            lambda: self._text(
                manner, reader.shown.query, self._list(manner, listing, user_id, shown, gone)
            ),
        )

    def _own(self, user_id: int) -> tuple[bool, ...]:
        """What of these rows only this reader sees, or only this one does not."""
        own = (
            (user_id in self.beside[one.conversation.pk].writers, one.conversation.assignee_id)
            for one in self.facts
        )
        return tuple(each for writes, assignee in own for each in (writes, assignee == user_id))

    def _once(self, key: Any, make: Any) -> str:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def _list(
        self,
        manner: Manner,
        listing: Listing,
        user_id: int,
        shown: Sequence[bool],
        gone: Sequence[int],
    ) -> str:
        rows = zip(self.facts, self._shared(manner), shown, strict=True)
        parts = [
            row.for_reader(listing, user_id) if is_shown else _removed(one.conversation.pk)
            for one, row, is_shown in rows
        ]
        parts += [_removed(pk) for pk in gone]
        return f'<ul data-into="conversation-rows">{"".join(parts)}</ul>'

    def _shared(self, manner: Manner) -> list[SharedRow]:
        if manner not in self._rows:
            with drawn_in(manner):
                self._rows[manner] = [self._drawn(one.conversation, manner) for one in self.facts]
        return self._rows[manner]

    def _drawn(self, row: Conversation, manner: Manner) -> SharedRow:
        each = self.beside[row.pk]
        return shared_row(
            row, each.beside, each.writers, manner=manner, now=self.now, limits=self.limits
        )

    def _said(self, manner: Manner) -> str:
        """Who wrote, for notifications."""
        if self.heard and manner not in self._heard_html:
            with drawn_in(manner):
                context = {"console": SimpleNamespace(heard=self.heard)}
                self._heard_html[manner] = render_to_string("parts/heard.html", context)
        return self._heard_html.get(manner, "")

    def _text(self, manner: Manner, query: str | None, rows: str) -> str:
        """One frame as JSON. `conversations`: where a page that has one open must ask."""
        span = self.span
        html = (
            f'<div data-changes="news" data-streams="{span.key}:{span.end}"'
            f' data-now="{int(timezone.now().timestamp())}">{rows}{self._said(manner)}</div>'
        )
        return json.dumps(
            {
                "type": "frame",
                "from": {span.key: span.start},
                "streams": {span.key: span.end},
                "list": query,
                "conversations": [str(pk) for pk in self._ids],
                "html": html,
            },
            ensure_ascii=False,
        )


def _removed(pk: int) -> str:
    return f'<li id="conversation-{pk}" data-removed></li>'
