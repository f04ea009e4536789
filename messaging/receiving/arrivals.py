"""The steps of storing what arrived: people, conversations, contexts, message rows.

Each runs inside `inbound.store`'s transaction and works on a whole batch, row by row
only where there are few rows.
"""

from collections.abc import Mapping, Sequence

from django.db import connection
from django.db.models import Q

from messaging.conversations import labelling, rows
from messaging.conversations.events import record_event
from messaging.conversations.finding import folded_contact
from messaging.models import (
    Attachment,
    AttachmentState,
    Contact,
    Conversation,
    Direction,
    EventCode,
    Message,
    MessageKind,
    MessageStatus,
)
from messaging.receiving.answers import Arrival, Contexts, Conversations
from sessions_app.database.batches import plain_rows, texts, update_rows
from sessions_app.database.encryption import encrypt, encrypt_bytes
from sessions_app.ilink.opening import told_of
from sessions_app.ilink.wire import Item, ItemKind
from sessions_app.models import ACCOUNT_COLOURS, Context
from sessions_app.realtime.streams import Change, advance
from sessions_app.team_settings.limits import team_settings

CONTACT_STREAM = "contact"
MOST_RAW_BYTES = 1024 * 1024
"""Kept of a message as it came. Only a very long text makes one longer, and it is kept whole."""


def contacts_of(user_ids: set[str]) -> dict[str, Contact]:
    """Contacts by WeChat id. Unknown ones are created with a number and a colour."""
    known = {one.user_id: one for one in Contact.objects.filter(user_id__in=user_ids)}
    if user_ids - known.keys():
        # Take the stream's lock first, as another session may create the same contact.
        advance(CONTACT_STREAM, 0)
        known = {one.user_id: one for one in Contact.objects.filter(user_id__in=user_ids)}
    missing = sorted(user_ids - known.keys())
    if missing:
        last = advance(CONTACT_STREAM, len(missing))
        numbers = range(last - len(missing) + 1, last + 1)
        strangers = [
            Contact(user_id=user_id, number=number, colour=number % ACCOUNT_COLOURS)
            for user_id, number in zip(missing, numbers, strict=True)
        ]
        for one in strangers:
            one.folded = folded_contact(one)
        Contact.objects.bulk_create(strangers)
        known.update({one.user_id: one for one in Contact.objects.filter(user_id__in=missing)})
    return known


def conversations_of(
    fresh: Sequence[Arrival], contacts: Mapping[str, int], people: set[str]
) -> Conversations:
    """Lock all conversations of `people` at once; creates those missing in a session's team.

    `contacts`: WeChat id → contact id, of all in `fresh`.
    """
    return _made({(one.wechat_id, one.session.team_id) for one in fresh}, contacts, people)


def conversations_with(people: set[str], team_id: int) -> Conversations:
    """Lock these contacts' conversations with one team; creates missing ones."""
    contacts = {user_id: contact.pk for user_id, contact in contacts_of(people).items()}
    return _made({(user_id, team_id) for user_id in people}, contacts, people)


def _made(
    wanted: set[tuple[str, int]], contacts: Mapping[str, int], people: set[str]
) -> Conversations:
    locked = _locked(people)
    if missing := wanted - locked.keys():
        # Another session may create the same one at this moment; then that one is read.
        Conversation.objects.bulk_create(
            [
                Conversation(contact_id=contacts[user_id], home_team_id=team_id, team_id=team_id)
                for user_id, team_id in sorted(missing)
            ],
            ignore_conflicts=True,
        )
        locked |= _locked({user_id for user_id, _team in missing})
    return locked


def _locked(people: set[str]) -> Conversations:
    """Conversations with their contacts. All of them, locked in the order of their keys."""
    conversations, contacts = plain_rows(Conversation), plain_rows(Contact)
    quote = connection.ops.quote_name
    one, other = quote(Conversation._meta.db_table), quote(Contact._meta.db_table)
    lock = f" FOR NO KEY UPDATE OF {one}" if connection.features.has_select_for_update else ""
    locked: Conversations = {}
    with connection.cursor() as cursor:
        ids, values = texts(sorted(people))
        cursor.execute(
            f"SELECT {conversations.columns}, {contacts.columns} FROM {one} "  # noqa: S608
            f"JOIN {other} ON {one}.contact_id = {other}.id "
            f"WHERE {other}.user_id IN {ids} ORDER BY {one}.id{lock}",
            values,
        )
        for row in cursor.fetchall():
            conversation = conversations.read(row)
            contact = contacts.read(row[conversations.width :])
            conversation.contact = contact
            locked[contact.user_id, conversation.home_team_id] = conversation
    return locked


def find_quoted(fresh: Sequence[Arrival]) -> dict[tuple[int, str], Message]:
    """Our own messages that were quoted, since quotes often lack the text."""
    ids = {quote_id for one in fresh if (quote_id := _quoted_id(one))}
    if not ids:
        return {}
    sessions = {one.session.pk for one in fresh}
    rows = Message.objects.filter(session__in=sessions, wire_id__in=ids)
    return {(row.session_id, row.wire_id): row for row in rows}


def _quoted_id(arrival: Arrival) -> str:
    for item in arrival.wire.items:
        if item.quote is not None:
            return item.quote.msg_id or (item.quote.item.msg_id if item.quote.item else "")
    return ""


def _quoted_text(arrival: Arrival) -> str:
    for item in arrival.wire.items:
        if item.quote is not None:
            inner = item.quote.item
            return (inner.text if inner else "") or item.quote.title
    return ""


def build(
    arrival: Arrival,
    number: int,
    conversation: Conversation,
    quoted: dict[tuple[int, str], Message],
    version: int,
) -> None:
    """Build the rows of one arrival. Several items become one message with attachments."""
    wire, session = arrival.wire, arrival.session
    quote = quoted.get((session.pk, _quoted_id(arrival))) if quoted else None
    ours = arrival.is_ours
    arrival.message = plain_rows(Message).new(
        id=number,
        conversation_id=conversation.pk,
        session_id=session.pk,
        bot_id=session.bot_id,
        direction=Direction.OUT.value if ours else Direction.IN.value,
        kind=_kind(wire.items).value,
        text=_text(wire.items),
        quote_text=_quoted_text(arrival),
        quote_of_id=None if quote is None else quote.pk,
        wire_id=wire.message_id[:40],
        dedupe_key=arrival.dedupe_key,
        encrypted_raw=encrypt_bytes(wire.raw[:MOST_RAW_BYTES]),
        status=MessageStatus.SENT.value if ours else MessageStatus.RECEIVED.value,
        created_at=arrival.written_at,
        stored_at=arrival.received_at,
        client_id=wire.client_id[:80],
        trace_id=arrival.trace_id or None,
        recalled_at=arrival.received_at if wire.delete_time_ms else None,
        version=version,
    )
    arrival.attachments = [
        _attachment(arrival.message, position, item)
        for position, item in enumerate(wire.items)
        if item.kind is not ItemKind.TEXT
    ]


def _text(items: Sequence[Item]) -> str:
    return "\n".join([item.text for item in items if item.kind is ItemKind.TEXT])


def _kind(items: Sequence[Item]) -> MessageKind:
    """The kind of the first item that is not text; unsupported for a message without items."""
    kinds = [item.kind for item in items]
    media = [kind for kind in kinds if kind is not ItemKind.TEXT]
    if media:
        return MessageKind(media[0].value)
    return MessageKind.TEXT if kinds else MessageKind.UNSUPPORTED


def _attachment(message: Message, position: int, item: Item) -> Attachment:
    unsupported = item.kind is ItemKind.UNSUPPORTED
    return Attachment(
        message=message,
        position=position,
        kind=item.kind.value,
        file_name=item.file_name[:255],
        size=item.size if item.size is None or 0 <= item.size < 2**63 else None,
        state=AttachmentState.FAILED if unsupported else AttachmentState.REMOTE,
        error="unsupported" if unsupported else "",
        width=_small(item.width),
        height=_small(item.height),
        duration_ms=_small(item.duration_ms),
        transcript=item.transcript,
        md5=told_of(item).md5,
        encrypted_item=encrypt(item.raw.decode("ascii", "replace")),
    )


def _small(number: int | None) -> int | None:
    return number if number is not None and 0 <= number < 2**31 else None


def move_conversations(
    fresh: Sequence[Arrival], conversations: Conversations, contexts: Contexts, change: Change
) -> None:
    """Update preview, unread count, route and version of conversations with new messages.

    `change` has numbered the teams' streams, and the messages have their numbers.
    """
    moved: dict[int, Conversation] = {}
    followed: dict[int, int] = {}
    for arrival in fresh:
        message, session = arrival.message, arrival.session
        assert message is not None
        conversation = conversations[arrival.wechat_id, session.team_id]
        moved[conversation.pk] = conversation
        if session.label and not conversation.last_direction:
            # Who came by an invitation is filed under its label, with the first message.
            labelling.add(change, [conversation], [session.label], None)
        rows.show_arrival(conversation, message, rows.detail_of(arrival.attachments))
        if not arrival.is_ours:
            conversation.unread += 1
            if rows.show_open(conversation):
                record_event(change, conversation, EventCode.REOPENED)
            if followed.get(conversation.pk) != session.pk:
                followed[conversation.pk] = session.pk
                _follow(conversation, arrival, contexts.get((session.pk, arrival.wechat_id)))
    numbers = change.number({rows.stream_of(one) for one in moved.values()})
    for conversation in moved.values():
        conversation.version = numbers[rows.stream_of(conversation)]
        rows.mention(change, conversation)
    fields = [*rows.ARRIVAL_FIELDS, *rows.ROUTE_FIELDS, "unread", "status", "snoozed_until"]
    update_rows(list(moved.values()), [*fields, "version"])


def _follow(conversation: Conversation, arrival: Arrival, context: Context | None) -> None:
    """Route replies through the session of the contact's newest message."""
    if context is None:
        return
    closes_at = context.received_at + team_settings().window
    newer = conversation.closes_at is None or closes_at >= conversation.closes_at
    if newer or conversation.session_id == arrival.session.pk:
        rows.show_route(conversation, context)


def honour_recalls(found: Sequence[Arrival], already: set[tuple[int, str]], change: Change) -> None:
    """Mark stored messages as recalled when they come again with a delete time."""
    recalls = {(one.session.pk, one.dedupe_key): one for one in found if one.wire.delete_time_ms}
    known = recalls.keys() & already
    if not known:
        return
    wanted = Q(pk__in=[])
    for session_id, key in known:
        wanted |= Q(session_id=session_id, dedupe_key=key)
    stored = Message.objects.select_for_update(of=("self",), no_key=True).filter(wanted)
    for message in stored.select_related("conversation").order_by("pk"):
        if message.recalled_at is None:
            message.recalled_at = recalls[message.session_id, message.dedupe_key].received_at
            message.save(update_fields=["recalled_at"])
            rows.touch_messages(change, message.conversation, message)
