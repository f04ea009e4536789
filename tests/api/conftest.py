"""A shop with one customer, and everybody of the cast with a token."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from messaging.models import Conversation, Message
from sessions_app.models import Session
from tests.api.callers import EVERYBODY, Caller, calling
from tests.api.redis_server import running_redis
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message


@pytest.fixture
def callers(cast: Cast) -> dict[str, Caller]:
    """Everybody by role, with a token that may all that they may."""
    return {who: calling(getattr(cast, who)) for who in EVERYBODY}


@dataclass(frozen=True)
class Shop:
    session: Session
    conversation: Conversation
    message: Message


@pytest.fixture
def shop(cast: Cast) -> Shop:
    """Li Na wrote “hello” to Shop A."""
    session = make_session("Shop A")
    receive(session, text_message("hello"))
    return Shop(session, Conversation.objects.get(), Message.objects.get())


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    with running_redis(tmp_path) as url:
        yield url
