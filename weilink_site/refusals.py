"""Why a process must not start on this database, each in one sentence that says what to set.

Read before anything is started; nothing is written here and no worker is registered.
"""

import socket

from django.conf import settings
from django.db import DatabaseError

from sessions_app import leases, queries


def of_poller() -> str:
    """The first reason against a poller, "" when it may start."""
    if not settings.REDIS_URL:
        return (
            "The poller needs REDIS_URL (redis://…): without it no page hears of a message. "
            "On one machine `manage.py console` runs web and worker together."
        )
    try:
        return another_host() or unreadable_tokens()
    except DatabaseError as error:
        kind = type(error).__name__
        return (
            f"The database cannot be read ({kind}): check DATABASE_URL, then run "
            "`python manage.py migrate`."
        )


def another_host() -> str:
    """With the shared folder one host receives: its locks reach no further."""
    if settings.WEILINK_STORE != "files":
        return ""
    others = leases.other_hosts(besides=socket.gethostname())
    if not others:
        return ""
    return (
        f"Another host ({', '.join(others)}) is alive in this database, and with "
        "WEILINK_STORE=files only one may be: set WEILINK_STORE=database on all of them, with "
        "the same SECRET_KEY and WEILINK_CREDENTIAL_KEYS."
    )


def unreadable_tokens() -> str:
    """Polling with some keys of the installation would leave the other sessions unheard."""
    lost, stored = queries.unreadable_tokens()
    if not lost:
        return ""
    return (
        f"The keys here cannot read the tokens of {len(lost)} of {stored} sessions: set "
        "WEILINK_CREDENTIAL_KEYS to the keys that they were stored with, newest first, as in "
        "var/credential_keys of the host that stored them."
    )
