"""Rows and wire answers for tests that need no network."""

import itertools
import json
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from messaging.receiving import inbound
from messaging.receiving.answers import Received
from messaging.receiving.binding import Binding, Heard
from sessions_app.ilink.wire import parse_updates
from sessions_app.models import Session, SessionState, Team
from sessions_app.sessions import services

_ids = itertools.count(7_500_000_000_000_000_001)


def make_session(name: str = "Shop A", *, team: Team | None = None) -> Session:
    """A bound session as after a scan."""
    team = team or Team.objects.get(name="Everyone")
    session = services.create_session(name=name, team=team)
    session.bot_id, session.owner_id = f"{name}@im.bot", f"owner-{name}@im.wechat"
    session.base_url, session.token = "https://ilinkai.weixin.qq.com", f"token of {name}"
    session.state, session.generation = SessionState.CONNECTED, 1
    session.last_poll_at = session.bound_at = timezone.now()
    session.save()
    return session


def text_message(text: str, *, sender: str = "lina@im.wechat", **changes: Any) -> dict[str, Any]:
    """One wire message of a person; `changes` replace or, when None, remove fields."""
    message: dict[str, Any] = {
        "message_id": next(_ids),
        "from_user_id": sender,
        "to_user_id": "bot@im.bot",
        "create_time_ms": int(time.time() * 1000),
        "message_type": 1,
        "message_state": 2,
        "item_list": [{"type": 1, "text_item": {"text": text}}],
        "context_token": f"token-{next(_ids)}",
    }
    message.update(changes)
    return {key: value for key, value in message.items() if value is not None}


def answer(
    session: Session, messages: Sequence[Any], *, cursor: str = "c1", asked_with: str = ""
) -> Received:
    """One getupdates answer as the poller hands it over."""
    body = json.dumps({"ret": 0, "msgs": list(messages), "get_updates_buf": cursor})
    return Received(
        session_id=session.pk,
        generation=session.generation,
        request_cursor=asked_with,
        updates=parse_updates(body.encode()),
        received_at=timezone.now(),
    )


def receive(session: Session, *messages: Any, cursor: str = "c1", asked_with: str = "") -> int:
    """Store one answer; returns how many messages are new."""
    return inbound.store([answer(session, messages, cursor=cursor, asked_with=asked_with)])


def heard(binding: Binding, at: datetime) -> dict[Binding, Heard]:
    """A good poll without messages, at this time, as a loop notes it."""
    return {binding: Heard(at, binding.cursor, binding.cursor, binding.hold_ms)}
