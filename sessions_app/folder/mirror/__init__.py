"""Sessions of the database and of the shared folder, kept alike: each follows the other.

The folder is the truth for credentials, names, the default, tokens with their counts, and, until
we hold its poll lock, cursors. Runs in a thread of the worker; no page and no loop waits for it.
"""

from .contexts import ContextChange, Conversations
from .mirror import Mirror, Sweep
from .poll_lease import FREE_FOR_S, PollLease

__all__ = ["FREE_FOR_S", "ContextChange", "Conversations", "Mirror", "PollLease", "Sweep"]
