"""`/conversations`: the inbox as a list, one conversation, and its messages."""

from typing import Annotated

from django.http import Http404
from django.utils import timezone
from ninja import Path, Query, Router

from messaging.api.auth import ApiRequest, allowed
from messaging.api.endpoints.edits import edit_of, refused
from messaging.api.endpoints.messages import After, Filter, messages_out, place_after
from messaging.api.endpoints.sessions import unknown_session
from messaging.api.errors import ERRORS
from messaging.api.paging import Cursor, Limit, bad_cursor, id_or_none, pack, unpack
from messaging.api.schemas import ConversationIn, ConversationOut, ConversationsOut, MessagesOut
from messaging.conversations import work
from messaging.conversations.access import conversation_or_404
from messaging.conversations.work import WorkError
from messaging.inbox import list_queries
from messaging.inbox.lists import Listing
from messaging.models import Conversation
from messaging.replying import queries
from sessions_app.models import User
from sessions_app.people.roles import Capability
from sessions_app.people.tokens import Scope
from sessions_app.sessions.access import sessions_of
from sessions_app.team_settings.limits import team_settings

router = Router(tags=["conversations"])

ConversationId = Annotated[str, Path(pattern="^[0-9]{1,19}$")]
Status = Annotated[str, Query(pattern="^(|open|snoozed|resolved)$", description="All if empty.")]


def conversation_out(row: Conversation) -> ConversationOut:
    limit = team_settings().replies_per_token
    return ConversationOut(
        id=str(row.pk),
        user_id=row.contact.user_id,
        name=row.contact_words.name or None,
        team=row.team.name,
        status=row.status,
        assignee=row.assignee.username if row.assignee else None,
        unread=row.unread,
        last_message_at=row.last_at,
        last_text=row.last_text,
        session=row.session.name if row.session else None,
        expires_at=row.closes_at,
        remaining=max(0, limit - row.replies_used) if row.closes_at else 0,
        labels=[label.name for label in row.labels.all()],
    )


def _conversation(user: User, conversation_id: str) -> Conversation:
    number = id_or_none(conversation_id)
    if number is None:
        raise Http404
    return conversation_or_404(user, number)


@router.get("/conversations", response={200: ConversationsOut, **ERRORS}, summary="Newest first")
def list_conversations(
    request: ApiRequest,
    status: Status = "",
    assignee: Filter = "",
    session: Filter = "",
    q: Filter = "",
    limit: Limit = 50,
    cursor: Cursor = "",
) -> ConversationsOut:
    """`session`: the one that a reply would use; `assignee`: a username, or “-” for unassigned;
    `q`: searches names and WeChat ids."""
    user = allowed(request, Scope.READ, Capability.READ_CONVERSATIONS)
    if session and not sessions_of(user).filter(name=session).exists():
        raise unknown_session()
    before = unpack(cursor)
    if before and list_queries.parse_place(before) is None:
        raise bad_cursor()
    listing = Listing(status=status, agent=assignee, session=session, words=q)
    page = list_queries.conversation_page(
        user, listing, now=timezone.now(), before=before, limit=limit
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
    return conversation_out(_conversation(allowed(request, Scope.READ), conversation_id))


@router.patch(
    "/conversations/{conversation_id}",
    response={200: ConversationOut, **ERRORS},
    summary="Change a conversation",
)
def change(
    request: ApiRequest, conversation_id: ConversationId, body: ConversationIn
) -> ConversationOut:
    """Changes everything that is named, or nothing. Fields that are left out stay as they are.

    `assignee`: a username, null for nobody. `team`: a name. `labels`: replaces all labels.
    `snoozed_until`: a time snoozes, null wakes up; the status “snoozed” needs a time.
    """
    user = allowed(request, Scope.CONTACTS, Capability.ANSWER)
    row = _conversation(user, conversation_id)
    try:
        work.edit(conversation=row, edit=edit_of(body), user=user)
    except WorkError as problem:
        raise refused(problem) from None
    again = Conversation.objects.filter(pk=row.pk)
    return conversation_out(list_queries.whole_rows(again).get())


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
    conversation = _conversation(user, conversation_id)
    place = place_after(after, cursor)
    rows = queries.stored_messages(user, after=place, limit=limit + 1, conversation=conversation)
    return messages_out(rows, limit=limit, after=place)
