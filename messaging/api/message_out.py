"""A message as the API shows it. Runs no query: `queries.stored_messages` has loaded it all."""

from messaging.api.schemas import AttachmentOut, MessageErrorOut, MessageOut, QuoteOut
from messaging.media import reasons as media_reasons
from messaging.models import Attachment, Message
from messaging.replying.reasons import code_of, reason_of


def message_out(message: Message) -> MessageOut:
    return MessageOut(
        id=str(message.pk),
        message_id=message.wire_id or None,
        client_id=message.client_id or None,
        session=message.session.name,
        bot_id=message.bot_id or None,
        user_id=message.conversation.contact.user_id,
        direction=message.direction,
        kind=message.kind,
        text=message.text,
        attachments=[_attachment(one) for one in message.attachments.all()],
        quote=_quote(message),
        status=message.status,
        error=_error(message),
        held_by=str(message.held_by) if message.held_by else None,
        created_at=message.created_at,
        stored_at=message.stored_at,
        sent_by=message.sent_by.username if message.sent_by else None,
    )


def _attachment(row: Attachment) -> AttachmentOut:
    return AttachmentOut(
        id=str(row.pk),
        kind=row.kind,
        file_name=row.file_name,
        size=row.size,
        content_type=row.content_type,
        state=row.state,
        error=media_reasons.sentence(row.error or ("incomplete" if row.is_incomplete else ""))
        or None,
    )


def _quote(message: Message) -> QuoteOut | None:
    if not message.quote_of_id and not message.quote_text:
        return None
    text = message.quote_text or (message.quote_of.text if message.quote_of else "")
    return QuoteOut(id=str(message.quote_of_id) if message.quote_of_id else None, text=text)


def _error(message: Message) -> MessageErrorOut | None:
    if not message.error_code:
        return None
    return MessageErrorOut(code=code_of(message), message=reason_of(message))
