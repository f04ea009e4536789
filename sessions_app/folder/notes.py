"""What the board says about the shared session folder: receiver, problems, ignored folders.

Reads only the row that the mirror writes and opens no file.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from sessions_app.folder.mirror.shared import HANDOVER_S, is_received, shared_folder
from sessions_app.models import Receiver, SharedFolder
from sessions_app.sessions import reasons


@dataclass(frozen=True, slots=True)
class Aside:
    """A subfolder of the session folder that is not used as a session, and the reason."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class FolderNote:
    """`may_hand_over`: this console receives.

    `waits_until`: receiving was handed over and no program has started yet.
    """

    path: str
    problem: str
    aside: list[Aside]
    is_elsewhere: bool
    may_hand_over: bool
    waits_until: datetime | None


def folder_note() -> FolderNote | None:
    """Takes one query.

    None with WEILINK_STORE=database, and before a worker first read the folder.
    """
    if settings.WEILINK_STORE != "files":
        return None
    row = shared_folder()
    if row._state.adding:
        return None
    handed = row.handed_over_at
    return FolderNote(
        path=row.path,
        problem=_problem(row),
        aside=[Aside(one["name"], _why(one)) for one in row.set_aside],
        is_elsewhere=row.receiver == Receiver.ANOTHER,
        may_hand_over=_may_hand_over(row),
        waits_until=handed + timedelta(seconds=HANDOVER_S) if handed else None,
    )


def _problem(row: SharedFolder) -> str:
    if row.error_code:
        return reasons.sentence(row.error_code, row.error_detail)
    if not is_received(row):
        return _(
            "nothing is received: the program that receives for the account folder is not "
            "responding; resume it or end it"
        )
    return ""


def _may_hand_over(row: SharedFolder) -> bool:
    return row.receiver == Receiver.CONSOLE and row.handed_over_at is None


def _why(one: dict[str, str]) -> str:
    """The reason in the reader's language. Uses the mirror's own sentence where it says more."""
    sentences = {
        "written_back": _("another program wrote it back after it was renamed or logged out"),
        "link": _("it is a link to another place; links are not followed"),
        "bad_name": _("its name can't be used as an account name"),
        "same_name": _("its name differs from another one's in upper and lower case only"),
        "same_bot": _("another folder holds the same bot"),
        "broken_token": _("its token.json cannot be read"),
    }
    return sentences.get(one["problem"], one["reason"])
