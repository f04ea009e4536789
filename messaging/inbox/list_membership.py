"""Whether one conversation belongs in a list, decided from facts without a query.

The equivalent of `list_conditions.condition` for a row that was read already: a frame of the
websocket is read once and goes to readers with different lists. A property test holds both equal.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from messaging.conversations.finding import searched_words
from messaging.inbox.lists import NOBODY, Listing, View
from messaging.models import Conversation, ConversationStatus


@dataclass(frozen=True, slots=True)
class Facts:
    """What lists ask of a conversation.

    `can_send`: its session can. `mentioned`: users with an unseen mention there.
    """

    conversation: Conversation
    can_send: bool
    labels: frozenset[str]
    mentioned: frozenset[int]

    @classmethod
    def of(
        cls, conversation: Conversation, *, mute: Collection[int], mentioned: Collection[int]
    ) -> "Facts":
        """From a whole row. `mute`: the sessions that cannot send."""
        session = conversation.session_id
        return cls(
            conversation=conversation,
            can_send=session is not None and session not in mute,
            labels=frozenset(label.name for label in conversation.labels.all()),
            mentioned=frozenset(mentioned),
        )


def belongs(facts: Facts, listing: Listing, *, reader_id: int, now: datetime) -> bool:
    """Whether this reader's list shows the conversation at this time."""
    return _is_in_view(facts, listing.view, reader_id, now) and _passes(facts, listing)


def _is_in_view(facts: Facts, view: View, reader_id: int, now: datetime) -> bool:
    row = facts.conversation
    is_open = row.status == ConversationStatus.OPEN
    match view:
        case View.MINE:
            return is_open and row.assignee_id == reader_id
        case View.UNASSIGNED:
            return is_open and row.assignee_id is None
        case View.NEEDS_REPLY:
            waits = row.waiting_since is not None and row.missed_at is None
            is_in_time = row.closes_at is not None and row.closes_at > now
            return is_open and waits and is_in_time and facts.can_send
        case View.NOT_SENT:
            return row.not_sent > 0
        case View.MISSED:
            return row.missed_at is not None
        case View.MENTIONS:
            return reader_id in facts.mentioned
        case View.SNOOZED | View.RESOLVED:
            return row.status == view.value
    return True


def _passes(facts: Facts, listing: Listing) -> bool:
    row = facts.conversation
    if listing.status and row.status != listing.status:
        return False
    if listing.session and (row.session is None or row.session.name != listing.session):
        return False
    if listing.label and listing.label not in facts.labels:
        return False
    if listing.agent and not _is_of_agent(row, listing.agent):
        return False
    return not listing.words or _is_named(row, listing.words)


def _is_of_agent(row: Conversation, agent: str) -> bool:
    if agent == NOBODY:
        return row.assignee is None
    return row.assignee is not None and row.assignee.username == agent


def _is_named(row: Conversation, words: str) -> bool:
    found, places = searched_words(words), (row.contact.folded, row.contact_words.folded)
    return bool(found) and all(any(word in place for place in places) for word in found)
