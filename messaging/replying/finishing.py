"""Sends a reply together with an action on the conversation: all of it, or nothing."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from messaging.conversations import rows, undo_notes, work
from messaging.models import Conversation, EventCode, Message, WorkAction
from messaging.replying import sending
from messaging.replying.sending import Wish
from sessions_app.models import User
from sessions_app.realtime.streams import announcing
from sessions_app.team_settings.limits import TeamSettings


class Also(StrEnum):
    """What to do besides sending, as the composer posts it (`also`)."""

    TAKE = "take"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Finished:
    """The messages that were queued; `action` undoes what was done besides, None if nothing."""

    messages: list[Message]
    action: WorkAction | None = None


def send_and(
    *,
    user: User,
    conversation: Conversation,
    wish: Wish,
    limits: TeamSettings,
    also: Collection[Also],
) -> Finished:
    """Assign the conversation to the sender (TAKE), send, and resolve it (RESOLVE).

    The same draft key again returns the same messages and changes nothing, since the contact may
    have written meanwhile. Raises ReplyError and FileProblem as `sending.send`; then nothing was
    done.
    """
    action = None
    with announcing() as change:
        locked = rows.lock(conversation.pk)
        is_new = not sending.posted_with(locked, wish.draft_key)
        if is_new and Also.TAKE in also:
            work.assign_locked(change, [locked], user, user)
        queued = sending.queue(change, locked, user=user, wish=wish, limits=limits)
        if is_new and Also.RESOLVE in also:
            action = undo_notes.begin(user=user, code=EventCode.RESOLVED)
            with undo_notes.noting(action, [locked]):
                work.resolve_locked(change, [locked], user)
    return Finished(queued.messages, action)
