"""Messages posted by programs, to a WeChat id. A key makes a repeated post one message.

`sending.send` has the rules for replies; nothing here calls WeChat.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from django.db import transaction
from django.db.models import QuerySet

from messaging.conversations import rows
from messaging.conversations.access import conversations_of
from messaging.conversations.errors import (
    DraftAlreadyUsed,
    ReplyError,
    UnknownQuote,
    UnknownSession,
)
from messaging.models import SPOKEN, Conversation, Message, PostedKey
from messaging.reply_window.reply_route import text_problem
from messaging.replying import queries, reasons, sending, services
from messaging.replying.counting import counting_refusals
from messaging.replying.sending import Wish
from messaging.transfers import uploads
from messaging.transfers.replies import Wanted
from sessions_app.models import User
from sessions_app.realtime.streams import announcing
from sessions_app.sessions.access import sessions_of
from sessions_app.team_settings.limits import team_settings


@dataclass(frozen=True, slots=True)
class PostedFile:
    """One file: its `upload_id`, or its bytes. `kind`: a kind of the contract."""

    kind: str
    file_name: str
    upload_id: str = ""
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Post:
    """A text, files, or both, to one contact.

    `reply_to`: the id of a message in the contact's conversation.
    """

    to: str
    text: str
    session_name: str | None = None
    reply_to: int | None = None
    override: bool = False
    files: tuple[PostedFile, ...] = ()

    def digest(self) -> str:
        """A hash that must be equal for two posts with the same key."""
        written = json.dumps(asdict(self), sort_keys=True, default=_digest)
        return hashlib.sha256(written.encode()).hexdigest()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer to a post. `remaining`: replies left on the token that will be used.

    `held_by`: an earlier reply that somebody must decide about first.
    """

    id: str
    status: str
    session: str
    remaining: int
    parts: list[str]
    held_by: str | None = None


@counting_refusals()
def post_message(*, user: User, post: Post, key: str = "") -> tuple[Taken, bool]:
    """Queue a text and files. True: it is new; False: the first answer to the same key.

    Raises ReplyError and its subclasses; then nothing is stored, not even the key.
    """
    if key and (kept := PostedKey.objects.filter(owner=user, key=key).first()):
        return _first_answer(kept, post), False
    files = [_brought(user, one) for one in post.files]  # slow, so before any transaction
    if not key:
        return _queue(user, post, files), True
    with transaction.atomic():
        # A concurrent post with the same key waits here until the first one is done.
        kept, is_new = PostedKey.objects.get_or_create(
            owner=user, key=key, defaults={"digest": post.digest()}
        )
        if not is_new:
            return _first_answer(kept, post), False
        taken = _queue(user, post, files)
        PostedKey.objects.filter(pk=kept.pk).update(answer=asdict(taken))
    return taken, True


def _first_answer(kept: PostedKey, post: Post) -> Taken:
    if kept.digest != post.digest():
        raise DraftAlreadyUsed("key_reused", reasons.refusal("key_reused"))
    return Taken(**kept.answer)


def _brought(user: User, file: PostedFile) -> Wanted:
    """Raises FileProblem."""
    if file.upload_id:
        return Wanted(file.upload_id, file.kind, file.file_name)
    brought = uploads.bring_pieces(owner=user, pieces=[file.content], file_name=file.file_name)
    return Wanted(brought.pk, file.kind)


def _queue(user: User, post: Post, files: list[Wanted]) -> Taken:
    text = services.clean(post.text)
    if (problem := text_problem(text)) and not (files and problem == "empty"):
        raise ReplyError(problem, reasons.refusal(problem))
    conversation = _thread(user, post)
    wish = Wish(
        text,
        draft_key="",
        session_name=post.session_name,
        override=post.override,
        files=tuple(files),
        quote_of=_quoted(conversation, post.reply_to),
    )
    limits = team_settings()
    with announcing() as change:
        locked = rows.lock(conversation.pk)
        queued = sending.queue(change, locked, user=user, wish=wish, limits=limits)
    assert queued.context is not None  # without a draft key every post is new
    first = queued.messages[0]
    holder = queries.holder_of(first)
    return Taken(
        id=str(first.pk),
        status=first.status,
        session=first.session.name,
        remaining=max(0, limits.replies_per_token - queued.context.replies_used),
        parts=[str(one.pk) for one in queued.messages],
        held_by=str(holder) if holder else None,
    )


def _thread(user: User, post: Post) -> Conversation:
    """The conversation to use: the named session's, else the one with the newest context."""
    conversations = conversations_of(user).filter(contact__user_id=post.to)
    found = list(conversations.select_related("contact").order_by("-last_at", "-id"))
    if post.session_name is not None:
        home = sessions_of(user).filter(name=post.session_name).values_list("team", flat=True)
        if not home:
            raise UnknownSession("unknown_session", reasons.refusal("unknown_session"))
        found.sort(key=lambda one: one.home_team_id != home[0])
    elif len(found) > 1:
        found = _by_newest_context(found)
    if not found:
        raise ReplyError("no_context", reasons.refusal("no_context"))
    return found[0]


def _by_newest_context(conversations: Sequence[Conversation]) -> list[Conversation]:
    newest = queries.contexts_with(*conversations)
    teams = [context.session.team_id for context in newest]
    rank = {team: teams.index(team) for team in teams}
    return sorted(conversations, key=lambda one: rank.get(one.home_team_id, len(teams)))


def _quoted(conversation: Conversation, message_id: int | None) -> Message | None:
    if message_id is None:
        return None
    there: QuerySet[Message] = conversation.messages.filter(pk=message_id, direction__in=SPOKEN)
    quoted = there.defer("encrypted_raw").first()
    if quoted is None:
        raise UnknownQuote("unknown_message", reasons.refusal("unknown_message"))
    return quoted
