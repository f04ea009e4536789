"""How a team introduces itself on the public pages: its name, a text and a logo."""

import base64
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from sessions_app.models import Team, TeamIntroduction, User


@dataclass(frozen=True, slots=True)
class Introduction:
    """`logo_url`: the picture itself as a `data:` URL, so that no further address is open.

    `own_name`: the name for strangers, "" while they see the one that members use.
    """

    name: str
    own_name: str
    text: str
    logo_url: str


def introduction_of(team: Team) -> Introduction:
    """What strangers see. A team without an introduction shows the name that members use."""
    row = TeamIntroduction.objects.filter(team=team).first()
    if row is None:
        return Introduction(team.name, "", "", "")
    return Introduction(row.name or team.name, row.name, row.text, _as_url(bytes(row.logo)))


def _as_url(logo: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(logo).decode()}" if logo else ""


def change_introduction(
    *, user: User | None, team: Team, name: str, text: str, logo: bytes | None
) -> None:
    """`logo`: None keeps the present one, empty bytes remove it."""
    wanted: dict[str, Any] = {
        "name": name,
        "text": text,
        "changed_by": user,
        "changed_at": timezone.now(),
    }
    if logo is not None:
        wanted["logo"] = logo
    TeamIntroduction.objects.update_or_create(team=team, defaults=wanted)
