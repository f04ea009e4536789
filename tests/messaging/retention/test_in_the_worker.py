"""The running worker deletes what is old, ends what was begun, and tidies the shared folder."""

import io
import json
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import AsyncClient
from django.utils import timezone

from messaging.models import Contact, Conversation, Message
from messaging.retention import forgetting
from messaging.worker.pauses import Pauses
from sessions_app.folder.store import SessionFolder
from sessions_app.models import Context, Team
from sessions_app.people.roles import Role
from sessions_app.team_settings import limits
from sessions_app.team_settings.limits import change_settings
from tests.conftest import QUICK, Running, in_thread, make_user, until
from tests.messaging.builders import make_session, receive, text_message

LINA = "lina@im.wechat"


@pytest.fixture
def pauses() -> Pauses:
    return replace(
        QUICK, retention_after_s=0.0, retention_every_s=0.2, retention_step_s=0.0,
        forgetting_every_s=0.1, forgetting_step_s=0.0,
    )  # fmt: skip


async def _first_message(running: Running, text: str = "hello") -> str:
    session = await running.scan("Shop A")
    running.control.add_person("Li Na", LINA)
    running.control.write(session.bot_id, LINA, text)
    await until(lambda: Message.objects.filter(text=text).exists(), "the message")
    return session.bot_id


def _age() -> None:
    at = timezone.now() - timedelta(days=9)
    Message.objects.update(stored_at=at)
    Conversation.objects.update(last_at=at)
    limits.forget()
    change_settings(user=None, wanted={"message_days": 7})


async def test_old_messages_go_by_themselves(running: Running) -> None:
    await _first_message(running)
    await in_thread(_age)()
    await until(lambda: not Message.objects.exists(), "the message deleted")
    await until(lambda: not Contact.objects.exists(), "the person deleted")
    limits.forget()


async def test_what_a_page_began_is_ended(running: Running) -> None:
    await _first_message(running)
    await in_thread(lambda: forgetting.forget(LINA, most_steps=0))()
    await until(lambda: not Contact.objects.exists(), "the person forgotten")
    assert not await Message.objects.aexists()


async def test_who_is_forgotten_leaves_the_shared_folder(
    running_on_folder: Running, shared_folder: Path
) -> None:
    bot_id = await _first_message(running_on_folder)
    folder = SessionFolder(shared_folder)
    await until(lambda: LINA in folder.read_contexts("Shop A"), "the context filed")
    number = (await Contact.objects.aget()).number
    await in_thread(forgetting.forget)(LINA)
    await until(lambda: LINA not in folder.read_contexts("Shop A"), "the context gone")
    assert not await Context.objects.aexists()
    running_on_folder.control.write(bot_id, LINA, "hello again")
    await until(lambda: Message.objects.filter(text="hello again").exists(), "a new person")
    assert (await Contact.objects.aget()).number > number
    await until(lambda: LINA in folder.read_contexts("Shop A"), "the new context filed")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL frees it at its next VACUUM")
def test_nothing_is_left_in_sqlites_file(seeded: Team) -> None:
    words = b"Pomeranze"
    session = make_session("Shop A", team=seeded)
    receive(session, *(text_message(f"Pomeranze {number}" * 200) for number in range(30)))
    place = Path(connection.settings_dict["NAME"])
    files = [place, place.with_name(f"{place.name}-wal")]
    assert any(words in one.read_bytes() for one in files if one.exists())
    forgetting.forget(LINA)
    forgetting.truncate_log()
    assert not any(words in one.read_bytes() for one in files if one.exists())


async def test_a_download_streams_from_an_event_loop(seeded: Team) -> None:
    """The console serves pages by ASGI, where a plain iterator would be held in memory whole."""

    def fill() -> Conversation:
        session = make_session("Shop A", team=seeded)
        receive(session, *(text_message(f"hello {number}") for number in range(9)))
        return Conversation.objects.get()

    conversation = await in_thread(fill)()
    client = AsyncClient()
    await client.aforce_login(await in_thread(make_user)("ada", Role.ADMINISTRATOR))
    answer = await client.get(f"/inbox/{conversation.pk}/export/")
    assert answer.is_async  # type: ignore[attr-defined]
    pieces = [piece async for piece in answer.streaming_content]  # type: ignore[attr-defined]
    assert len(pieces) > 3
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as opened:
        assert len(json.loads(opened.read("messages.json"))) == 9
