"""The audit log as CSV, a batch of rows at a time, so that its size does not matter.

UTF-8 with a byte order mark, which spreadsheets need to recognise it. A text that a spreadsheet
would take for a formula, or for a number that it cannot hold, has an apostrophe before it.
"""

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from sessions_app.audit import presentation, queries, sentences
from sessions_app.audit.queries import Filters
from sessions_app.pages.pieces import in_pieces
from sessions_app.recording.models import AuditEntry

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")
MOST_DIGITS = 15
"""A spreadsheet rounds longer numbers."""
BOM = "\ufeff"


def response(request: HttpRequest, filters: Filters, last: int) -> StreamingHttpResponse:
    """The rows up to the key `last`, in the reader's language. Under ASGI a thread reads them."""
    body = in_pieces(request, iter(_Pieces(filters, last).next, b""))
    name = f"audit-{timezone.localtime():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(body, content_type="text/csv; charset=utf-8", headers=headers)


class _Pieces:
    """Reads one batch at each call. Remembers language and time zone, since calls come later."""

    def __init__(self, filters: Filters, last: int) -> None:
        self._filters, self._last = filters, last
        self._language, self._zone = translation.get_language(), timezone.get_current_timezone()
        self._teams = queries.team_names()
        self._has_begun = False

    def next(self) -> bytes:
        """The next rows as text; empty at the end."""
        with translation.override(self._language), timezone.override(self._zone):
            written = io.StringIO()
            rows = csv.writer(written)
            if not self._has_begun:
                self._has_begun = True
                written.write(BOM)
                rows.writerow(_titles())
            found = queries.batch_up_to(self._filters, self._last)
            labels = presentation.settings_labels()
            rows.writerows(_cells(entry, self._teams, labels) for entry in found)
            self._last = found[-1].pk - 1 if found else 0
            return written.getvalue().encode()


def _titles() -> Sequence[str]:
    return (
        _("Time (UTC)"), _("Person"), _("Person's id"), _("API token"), _("Through"), _("Address"),
        _("Action"), _("Sentence"), _("Object"), _("Object's id"), _("Object's name"), _("Team"),
        _("Details"),
    )  # fmt: skip


def _cells(entry: AuditEntry, teams: dict[int, str], labels: dict[str, str]) -> list[str]:
    person = "" if entry.actor_id is None else str(entry.actor_id)
    team = "" if entry.team_id is None else teams.get(entry.team_id, str(entry.team_id))
    values = (
        entry.at.astimezone(UTC).isoformat(timespec="milliseconds"), entry.actor_name, person,
        entry.token, presentation.door(entry), entry.address, entry.action,
        sentences.sentence(entry, labels), entry.object_kind, entry.object_id, entry.object_name,
        team, json.dumps(entry.details, ensure_ascii=False) if entry.details else "",
    )  # fmt: skip
    return [cell(value) for value in values]


def cell(text: str) -> str:
    """The text as a spreadsheet shows it, and nothing else."""
    is_long_number = text.isdecimal() and len(text) > MOST_DIGITS
    return f"'{text}" if text.startswith(FORMULA_SIGNS) or is_long_number else text
