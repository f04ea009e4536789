"""The time zones to choose from, by region, with their offset from UTC."""

import zoneinfo
from datetime import datetime
from functools import lru_cache

from django.utils import timezone

_REGIONS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian",
            "Pacific")  # fmt: skip


@lru_cache(maxsize=1)
def zone_names() -> tuple[str, ...]:
    """Sorted names, without aliases outside a region. Read from disk once."""
    known = zoneinfo.available_timezones()
    return ("UTC", *sorted(name for name in known if name.partition("/")[0] in _REGIONS))


def zone_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Region → (name, label), as choices for a select."""
    now = timezone.now()
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in zone_names():
        groups.setdefault(name.partition("/")[0], []).append((name, _words(name, now)))
    return list(groups.items())


def _words(name: str, now: datetime) -> str:
    offset = now.astimezone(zoneinfo.ZoneInfo(name)).strftime("%z")
    hours = f"{offset[:3]}:{offset[3:]}".removesuffix(":00").replace("-", "−")
    place = name.replace("_", " ")
    return place if name == "UTC" else f"{place} (UTC{hours})"
