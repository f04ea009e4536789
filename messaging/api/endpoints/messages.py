"""`/messages`: read messages in stored order (`recv`), post, retry, cancel and dismiss them."""

import base64
from dataclasses import asdict
from typing import Annotated, Literal

from django.http import Http404
from ninja import Path, Query, Router, Status

from messaging.api.auth import ApiRequest, Caller, allowed
from messaging.api.endpoints.sessions import unknown_session
from messaging.api.endpoints.waiting import Wait, in_thread, look_until
from messaging.api.errors import ERRORS, ApiError
from messaging.api.message_out import message_out
from messaging.api.paging import BIGGEST_ID, Cursor, Limit, id_or_none, pack, split, unpack_id
from messaging.api.schemas import (
    AttachmentIn,
    DismissIn,
    MessageIn,
    MessageOut,
    MessagesOut,
    QueuedOut,
    RetryIn,
)
from messaging.conversations.access import message_or_404
from messaging.conversations.errors import ReplyError
from messaging.models import SPOKEN, Message
from messaging.replying import dismissing, posting, queries, services
from messaging.replying.posting import Post, PostedFile
from sessions_app.models import User
from sessions_app.people.roles import Capability
from sessions_app.people.tokens import Scope
from sessions_app.realtime.numbers import stream_keys_of
from sessions_app.sessions.access import sessions_of

router = Router(tags=["messages"])

MessageId = Annotated[str, Path(pattern="^[0-9]{1,19}$")]
NOW = "now"
After = Annotated[
    str,
    Query(
        pattern=f"^([0-9]{{0,19}}|{NOW})$",
        description="Only messages stored after this one; “now”: only what comes from now on.",
    ),
]
WITHOUT_NUL = "^[^\\x00]*$"
Filter = Annotated[str, Query(max_length=200, pattern=WITHOUT_NUL)]
Direction = Annotated[Literal["", "in", "out"], Query()]


def messages_out(rows: list[Message], *, limit: int, after: int) -> MessagesOut:
    """Build a page from at most `limit + 1` rows. `last_id` is `after` if there is nothing new."""
    page, last = split(rows, limit)
    return MessagesOut(
        items=[message_out(one) for one in page],
        next=pack(str(last.pk)) if last else None,
        last_id=str(page[-1].pk if page else after),
    )


def place_after(after: str, cursor: str) -> int:
    """Where to go on reading: after the higher of `after` and the id in `cursor`.

    "now" reads the newest id from the database, for the first page only; later pages follow the
    cursor.
    """
    if after == NOW:
        return unpack_id(cursor) if cursor else queries.newest_number()
    known = min(int(after or 0), BIGGEST_ID)
    return max(known, unpack_id(cursor))


@router.get("/messages", response={200: MessagesOut, **ERRORS}, summary="Messages, oldest first")
async def list_messages(
    request: ApiRequest,
    after: After = "",
    wait: Wait = 0,
    session: Filter = "",
    user: Filter = "",
    direction: Direction = "",
    limit: Limit = 50,
    cursor: Cursor = "",
) -> MessagesOut:
    """Ids are given in commit order: after `after=ID` no smaller id ever appears.

    With `wait` the call answers when the first message comes, or empty when the time is over.
    `after=now` starts at this moment. Use `last_id` as the next `after`; it is set even when
    `items` is empty.
    """
    if after == NOW:
        place = await in_thread(lambda: place_after(after, cursor))
    else:
        place = place_after(after, cursor)

    def look(caller: Caller) -> list[Message]:
        person = _reader(caller, session)
        return queries.stored_messages(
            person,
            after=place,
            limit=limit + 1,
            session_name=session,
            user_id=user,
            direction=direction,
        )

    rows = await look_until(
        look,
        bool,
        caller=request.auth,
        streams=lambda: stream_keys_of(request.auth.user),
        timeout_s=wait,
    )
    # Building the answer reads the team's limits from the database: not in the event loop.
    return await in_thread(lambda: messages_out(rows, limit=limit, after=place))


def _reader(caller: Caller, session_name: str) -> User:
    user = caller.check(Scope.READ, Capability.READ_CONVERSATIONS)
    if session_name and not sessions_of(user).filter(name=session_name).exists():
        raise unknown_session()
    return user


@router.post(
    "/messages",
    response={200: QueuedOut, 202: QueuedOut, **ERRORS},
    summary="Queue a message to somebody who wrote",
)
def post_message(request: ApiRequest, body: MessageIn) -> Status[QueuedOut]:
    """202 when it is queued; 200 with the first answer when the key was used for it before.

    409 with `offer`: the sessions that could send instead. WeChat takes one item per message: the
    text and each attachment are separate messages, listed in this order in `parts`.
    """
    user = allowed(request, Scope.SEND, Capability.ANSWER)
    post = Post(
        to=body.to,
        text=body.text,
        session_name=body.session,
        reply_to=min(int(body.reply_to), BIGGEST_ID) if body.reply_to else None,
        override=body.override,
        files=tuple(_file(one) for one in body.attachments),
    )
    taken, is_new = posting.post_message(user=user, post=post, key=body.idempotency_key or "")
    return Status(202 if is_new else 200, QueuedOut(**asdict(taken)))


def _file(given: AttachmentIn) -> PostedFile:
    """Raises ApiError 422."""
    if (given.content_base64 is None) == (given.upload_id is None):
        words = "Each attachment has either content_base64 or upload_id."
        raise ApiError(422, "invalid", words, field="attachments")
    try:
        content = base64.b64decode(given.content_base64 or "", validate=True)
    except ValueError:
        words = "content_base64 is not base64."
        raise ApiError(422, "invalid", words, field="content_base64") from None
    return PostedFile(given.kind, given.file_name, given.upload_id or "", content)


def _message(user: User, message_id: str) -> Message:
    number = id_or_none(message_id)
    if number is None:
        raise Http404
    message = message_or_404(user, number)
    if message.direction not in SPOKEN:
        raise Http404
    return message


def _reloaded(user: User, message: Message) -> MessageOut:
    found = queries.stored_messages(
        user, after=message.pk - 1, limit=1, conversation=message.conversation
    )
    if not found or found[0].pk != message.pk:
        raise Http404
    return message_out(found[0])


@router.get("/messages/{message_id}", response={200: MessageOut, **ERRORS}, summary="One message")
def one_message(request: ApiRequest, message_id: MessageId) -> MessageOut:
    user = allowed(request, Scope.READ)
    return _reloaded(user, _message(user, message_id))


@router.post(
    "/messages/{message_id}/retry",
    response={200: MessageOut, **ERRORS},
    summary="Send again what failed or is not confirmed",
)
def retry(request: ApiRequest, message_id: MessageId, body: RetryIn | None = None) -> MessageOut:
    """`override` sends although our own count says no. 409 `already_decided` if nothing is open."""
    user = allowed(request, Scope.SEND, Capability.ANSWER)
    message = _message(user, message_id)
    again = services.send_anyway if body and body.override else services.retry_message
    again(message=message, user=user)
    return _reloaded(user, message)


@router.post(
    "/messages/{message_id}/cancel",
    response={200: MessageOut, **ERRORS},
    summary="Take back what is still queued",
)
def cancel(request: ApiRequest, message_id: MessageId) -> MessageOut:
    """409 says why it cannot be cancelled: `already_sent` (also while it is being sent),
    `already_failed`, `not_confirmed`, `not_outgoing`. Cancelling it again is 200.
    """
    user = allowed(request, Scope.SEND, Capability.ANSWER)
    message = _message(user, message_id)
    try:
        services.cancel_message(message=message, user=user)
    except ReplyError as problem:
        if problem.code != "already_cancelled":
            raise
    return _reloaded(user, message)


@router.post(
    "/messages/{message_id}/dismiss",
    response={200: MessageOut, **ERRORS},
    summary="Let go what failed or is not confirmed",
)
def dismiss(
    request: ApiRequest, message_id: MessageId, body: DismissIn | None = None
) -> MessageOut:
    """It is not sent again, and the messages that wait for it (`held_by`) go. Repeating it is 200.

    With `arrived` an unconfirmed message counts as sent. 409 otherwise: `still_queued`,
    `being_sent`, `already_sent`, `already_cancelled`, `not_outgoing`, and `already_failed` if
    `arrived` is given for a failed message.
    """
    user = allowed(request, Scope.SEND, Capability.ANSWER)
    message = _message(user, message_id)
    dismissing.dismiss_message(message=message, user=user, arrived=bool(body and body.arrived))
    return _reloaded(user, message)
