"""`/conversations`: the inbox as a list, one of it, and its messages."""

from typing import Annotated

from django.http import Http404
from ninja import Path, Query, Router

from messaging import queries
from messaging.access import conversation_or_404
from messaging.api.auth import ApiRequest, allowed
from messaging.api.errors import ERRORS, NotAvailable
from messaging.api.messages import After, Filter, messages_out, place_after
from messaging.api.paging import Cursor, Limit, bad_cursor, id_or_none, pack, unpack
from messaging.api.schemas import ConversationIn, ConversationOut, ConversationsOut, MessagesOut
from messaging.api.sessions import unknown_session
from messaging.models import Conversation
from sessions_app.access import sessions_of
from sessions_app.models import User
from sessions_app.people.roles import Capability
from sessions_app.people.tokens import Scope
from sessions_app.team_settings import team_settings

router = Router(tags=["conversations"])

ConversationId = Annotated[str, Path(pattern="^[0-9]{1,19}$")]
Later = Annotated[str, Query(max_length=80, description="Not in this version: 501.")]


def conversation_out(row: Conversation) -> ConversationOut:
    """Of status, assignee and labels nothing is kept yet: null, null and none."""
    limit = team_settings().replies_per_token
    return ConversationOut(
        id=str(row.pk),
        user_id=row.contact.user_id,
        name=row.contact.name or None,
        team=row.team.name,
        status=None,
        assignee=None,
        unread=row.unread,
        last_message_at=row.last_at,
        last_text=row.last_text,
        session=row.session.name if row.session else None,
        expires_at=row.closes_at,
        remaining=max(0, limit - row.replies_used) if row.closes_at else 0,
        labels=[],
    )


def _mine(user: User, conversation_id: str) -> Conversation:
    number = id_or_none(conversation_id)
    if number is None:
        raise Http404
    return conversation_or_404(user, number)


@router.get("/conversations", response={200: ConversationsOut, **ERRORS}, summary="Newest first")
def list_conversations(
    request: ApiRequest,
    status: Later = "",
    assignee: Later = "",
    session: Filter = "",
    q: Filter = "",
    limit: Limit = 50,
    cursor: Cursor = "",
) -> ConversationsOut:
    """`session`: the one that would answer; `q`: in the person's name or WeChat id."""
    user = allowed(request, Scope.READ, Capability.READ_CONVERSATIONS)
    for field, value in (("status", status), ("assignee", assignee)):
        if value:
            raise NotAvailable(f"Filtering by {field}", field=field)
    if session and not sessions_of(user).filter(name=session).exists():
        raise unknown_session()
    before = unpack(cursor)
    if before and not queries.is_place(before):
        raise bad_cursor()
    page = queries.conversation_page(
        user, before=before, limit=limit, session_name=session, words=q
    )
    return ConversationsOut(
        items=[conversation_out(one) for one in page.rows],
        next=pack(page.next) if page.next else None,
    )


@router.get(
    "/conversations/{conversation_id}",
    response={200: ConversationOut, **ERRORS},
    summary="One conversation",
)
def one_conversation(request: ApiRequest, conversation_id: ConversationId) -> ConversationOut:
    return conversation_out(_mine(allowed(request, Scope.READ), conversation_id))


@router.patch(
    "/conversations/{conversation_id}",
    response={200: ConversationOut, **ERRORS},
    summary="Change a conversation (not in this version)",
)
def change(
    request: ApiRequest, conversation_id: ConversationId, body: ConversationIn
) -> ConversationOut:
    """501 for every field: status, assignee, team, labels and snoozing come later."""
    user = allowed(request, Scope.CONTACTS, Capability.ANSWER)
    row = _mine(user, conversation_id)
    for field in sorted(body.model_fields_set):
        raise NotAvailable(f"Changing {field}", field=field)
    return conversation_out(row)


@router.get(
    "/conversations/{conversation_id}/messages",
    response={200: MessagesOut, **ERRORS},
    summary="Its messages, oldest first",
)
def list_its_messages(
    request: ApiRequest,
    conversation_id: ConversationId,
    after: After = "",
    limit: Limit = 50,
    cursor: Cursor = "",
) -> MessagesOut:
    user = allowed(request, Scope.READ)
    conversation = _mine(user, conversation_id)
    place = place_after(after, cursor)
    rows = queries.stored_messages(user, after=place, limit=limit + 1, conversation=conversation)
    return messages_out(rows, limit=limit, after=place)
