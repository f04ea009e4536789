"""A reply as the composer and the API send it."""

from messaging.models import Conversation, Message
from messaging.replying import sending
from messaging.replying.sending import Wish
from sessions_app.models import User
from sessions_app.team_settings.limits import team_settings


def send_reply(
    *,
    user: User | None,
    conversation: Conversation,
    text: str,
    draft_key: str,
    session_name: str | None = None,
    override: bool = False,
    quote_of: Message | None = None,
) -> Message:
    """Queue one text. Raises ReplyError."""
    wish = Wish(text, draft_key, session_name=session_name, override=override, quote_of=quote_of)
    [message] = sending.send(
        user=user, conversation=conversation, wish=wish, limits=team_settings()
    )
    return message
