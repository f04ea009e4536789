"""The second database of a copy, and how the project's own code is run on it."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.utils import load_backend

from weilink_site.host import places, values
from weilink_site.postgresql.options import ALIVE

TARGET = "target"


class CopyRefused(Exception):  # noqa: N818 - a statement
    """Why nothing is copied, in one sentence that says what to do."""


def open_target(url: str) -> None:
    """Add the database `target`, for this thread. Raises CopyRefused for all but PostgreSQL."""
    try:
        named = values.database(url, root=places.ROOT)
    except ValueError as error:
        raise CopyRefused(f"--to {error}.") from None
    if named["ENGINE"] != values.POSTGRESQL:
        raise CopyRefused("The copy goes to PostgreSQL: --to postgres://user@host/name.")
    named["OPTIONS"] = {**ALIVE, **(named.get("OPTIONS") or {})}
    open_database(named)


def open_database(named: dict[str, Any]) -> None:
    """Add the database `target`, for this thread. `named`: what differs from the default one."""
    # The settings of the first database have every key that Django fills in.
    config: dict[str, Any] = {**copy.deepcopy(connections.settings[DEFAULT_DB_ALIAS]), **named}
    connections[TARGET] = load_backend(config["ENGINE"]).DatabaseWrapper(config, TARGET)


def close_target() -> None:
    """Forget the database again."""
    connections[TARGET].close()
    del connections[TARGET]


def address_of(url: str) -> str:
    """The address without its password and options, to be shown and stored."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    who = f"{parts.username}@" if parts.username else ""
    return urlunsplit((parts.scheme, who + host, parts.path, "", ""))


@contextmanager
def on_target() -> Iterator[None]:
    """Within the block, all code of this thread that names no database works on the target."""
    source, target = connections[DEFAULT_DB_ALIAS], connections[TARGET]
    connections[DEFAULT_DB_ALIAS] = target
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = source
