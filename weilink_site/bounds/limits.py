"""The numbers, each with its reason. They hold for one web process.

Nobody has to set them: they are far above what people and well-behaved programs use, and below
what one web process can bear. Modules read them here whenever they need them.
"""

from dataclasses import dataclass

KILOBYTE = 1024
MEGABYTE = 1024 * KILOBYTE
GIGABYTE = 1024 * MEGABYTE


@dataclass(frozen=True, slots=True)
class Lane:
    """Requests that are counted together. `each`: of one caller; the others: of all callers.

    `running`: have a thread and perhaps a database connection; the rest of those `under_way` waits
    for its turn, or for the client to take the answer.
    """

    running_each: int
    running: int
    under_way_each: int
    under_way: int


PAGES = Lane(running_each=3, running=12, under_way_each=160, under_way=640)
"""Pages and calls. A process uses one core, so more at once would only take memory, delay health
pages and make each one slower. 12 let readers go on while some writers wait for a lock, and leave 4
of PostgreSQL's 16 connections to health pages, looks at tokens and websockets. A browser opens up
to 128 requests at once over HTTP/2 (a conversation with 30 pictures: 35)."""
PROGRAM_UNDER_WAY = 64
"""Calls of one API token at once. A program, unlike a page, knows what 429 means."""
LONG_POLLS_EACH, LONG_POLLS = 32, 400
"""API calls with `wait=`. One token needs one for each thing that it waits for. They take a turn
only while they look, so pages never wait for them."""
STATIC = Lane(running_each=8, running=16, under_way_each=320, under_way=1_000)
"""Scripts, styles and pictures of our own: a first load asks for about 100 at once, before the
browser has a cookie, and an office has one address."""
PROBES = Lane(running_each=8, running=16, under_way_each=32, under_way=320)
"""`/healthz`, `/readyz`, `/metrics`: never behind anything else."""
TURN_S = 30.0
"""A request that has waited so long for its turn is refused: nobody waits for its answer now."""
RETRY_CALLER_S, RETRY_ALL_S = 2, 5
"""`Retry-After` of 429 (one caller) and of 503 (all)."""

STRANGER_BYTES = 64 * KILOBYTE
"""Of a body, before it is known whose it is: the sign-in and all other forms without files fit."""
SMALL_BODIES_EACH, SMALL_BODIES = 160, 1_000
"""Bodies up to that size that are arriving, of one address. They are in memory: 64 MB in all."""
BODIES_EACH, BODIES = 32, 128
"""Larger bodies, until their request is answered. A draft takes 30 files."""
BODY_BYTES_EACH, BODY_BYTES = 1 * GIGABYTE, 4 * GIGABYTE
"""What those may need on disk, by their announced lengths. One member's unsent files may have as
much in all. Where the team allows larger files, it is two of the largest, and eight of all."""
BODY_GRACE_S = 60.0
BODY_BYTES_PER_S = 16 * KILOBYTE
"""A body may take `BODY_GRACE_S`, and a second more for each so many bytes that have come. A phone
that sends 100 MB at 50 kB/s takes 35 minutes of almost two hours, with a minute for dead spots."""
HEAD_S = 20.0
"""For the lines of a request, from their first byte to the empty line."""

KNOWN_S = 60.0
"""How long a token or a login counts as valid here without another look. Every call still checks
it by itself; this only decides whom it is counted for, and whether a body is read."""
UNKNOWN_S = 30.0
"""The same for one that is not valid."""
MOST_KNOWN = 20_000
LOOKS_AT_ONCE = 2
MOST_LOOKS = 200
"""Tokens and logins to be looked at; further ones count for their address."""
LOOK_S = 2.0
"""If the database takes longer, the request counts for its address."""
AWAY_S = 5.0
"""The database is not asked again for so long after it did not answer."""
