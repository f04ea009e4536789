"""Pages of lists: `limit` up to 200 and an opaque `cursor`."""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, TypeVar

from ninja import Query

from messaging.api.errors import ApiError

MOST = 200
BIGGEST_ID = 2**63 - 1

Row = TypeVar("Row")

Limit = Annotated[int, Query(ge=1, le=MOST, description="Items at most.")]
Cursor = Annotated[
    str, Query(max_length=2_000, description="`next` of the page before; empty: from the start.")
]


def pack(place: str) -> str:
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def unpack(cursor: str) -> str:
    """Where the previous page ended; "" at the start. Raises ApiError 422."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return base64.b64decode(padded.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        raise bad_cursor() from None


def bad_cursor() -> ApiError:
    return ApiError(422, "invalid", "cursor: not one that this list gave.", field="cursor")


def unpack_id(cursor: str) -> int:
    """The id in a cursor, 0 at the start. Raises ApiError 422."""
    place = unpack(cursor)
    number = id_or_none(place) if place else 0
    if number is None:
        raise bad_cursor()
    return number


def id_or_none(text: str) -> int | None:
    """The number of an id as the API writes it; None if the text is not an id."""
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > BIGGEST_ID:
        return None
    return int(text)


def split(rows: Sequence[Row], limit: int) -> tuple[list[Row], Row | None]:
    """Split up to `limit + 1` rows into the page and its last row (None on the last page)."""
    page = list(rows[:limit])
    return page, (page[-1] if len(rows) > limit else None)
