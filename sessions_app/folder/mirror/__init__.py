"""Keeps the sessions of the database and of the shared folder in sync, in both directions.

The folder is the truth for credentials, names, the default, and context tokens with their counts.
It is also the truth for cursors, until we hold its poll lock. The mirror runs in a thread of the
worker; no page and no event loop waits for it.
"""

from .contexts import ContextChange, Conversations
from .mirror import Mirror, Sweep
from .poll_lease import FREE_FOR_S, PollLease

__all__ = ["FREE_FOR_S", "ContextChange", "Conversations", "Mirror", "PollLease", "Sweep"]
