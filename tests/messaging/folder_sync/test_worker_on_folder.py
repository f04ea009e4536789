"""The worker on a shared session folder: who polls, what other programs do, and what is filed."""

import json
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from messaging.models import Conversation, Message
from sessions_app.folder.mirror import shared
from sessions_app.folder.store import SessionFolder, StoredContext
from sessions_app.models import Context, Session, SharedFolder, Team
from sessions_app.sessions import services
from sessions_app.simulator.serve import SimulatorServer
from tests.conftest import QUICK, Running, in_thread, until, working
from tests.replies import send_reply
from tests.session_folder import read_token

LINA = "lina@im.wechat"


def _texts() -> list[str]:
    return list(
        Message.objects.filter(direction="in").order_by("id").values_list("text", flat=True)
    )


def _state(name: str) -> str:
    return Session.objects.values_list("state", flat=True).get(name=name)


def _reply(text: str) -> Message:
    conversation = Conversation.objects.get()
    return send_reply(user=None, conversation=conversation, text=text, draft_key=text)


def _polls(running: Running, bot_id: str) -> int:
    """Polls that WeChat holds for this bot right now."""
    return int(running.control.bot(bot_id)["polls"]["now"])


def _status(message: Message) -> str:
    return Message.objects.values_list("status", flat=True).get(pk=message.pk)


async def _first_message(running: Running, text: str = "hello") -> Session:
    session = await running.scan("Shop A")
    running.control.add_person("Li Na", LINA)
    running.control.write(session.bot_id, LINA, text)
    await until(lambda: text in _texts(), "the message")
    return session


async def test_a_scan_a_message_and_a_reply_are_in_the_folder(
    running_on_folder: Running, shared_folder: Path
) -> None:
    session = await _first_message(running_on_folder)
    folder = SessionFolder(shared_folder)
    await until(lambda: folder.read_contexts("Shop A").get(LINA), "the context filed")
    reply = await in_thread(_reply)("answer")
    await until(lambda: _status(reply) == "sent")
    assert folder.read_contexts("Shop A")[LINA].replies_used == 1
    stored = read_token(folder, "Shop A")
    assert stored is not None
    assert stored.bot_id == session.bot_id
    cursor = (await Session.objects.aget()).cursor
    await until(lambda: read_token(folder, "Shop A").cursor == cursor, "the cursor")  # type: ignore[union-attr]


async def test_a_reply_is_counted_in_the_folder_before_it_is_sent(
    running_on_folder: Running, shared_folder: Path
) -> None:
    session = await _first_message(running_on_folder)
    folder = SessionFolder(shared_folder)
    with folder.changing():
        reply = await in_thread(_reply)("waits")
        found = await until(
            lambda: Message.objects.filter(pk=reply.pk, error_code="folder_busy").first(),
            "the reply says why it waits",
        )
        assert found.status == "queued"
        running_on_folder.control.write(session.bot_id, LINA, "polls go on")
        await until(lambda: "polls go on" in _texts(), "polling with a busy folder")
        assert running_on_folder.control.seen(session.bot_id, LINA) == []
    await until(lambda: _status(reply) == "sent")
    assert folder.read_contexts("Shop A")[LINA].replies_used == 1


async def test_while_another_program_holds_the_lock_it_is_said_and_replies_go_out(
    seeded: Team, simulator: SimulatorServer, shared_folder: Path
) -> None:
    async with working(seeded, simulator, shared_folder.parent) as running:
        session = await _first_message(running)
    program = SessionFolder(shared_folder)
    held = program.poll_lock.try_take()
    assert held is not None
    async with working(seeded, simulator, shared_folder.parent) as running:
        await until(lambda: _state("Shop A") == "polled_elsewhere")
        reply = await in_thread(_reply)("from here")
        await until(lambda: _status(reply) == "sent")
        running.control.write(session.bot_id, LINA, "for the other one")
        assert _polls(running, session.bot_id) == 0
        held.release()
        await until(lambda: _state("Shop A") == "connected", "taken over")
        await until(lambda: "for the other one" in _texts())


async def test_the_lock_is_taken_only_after_it_was_free_for_a_while(
    seeded: Team, simulator: SimulatorServer, shared_folder: Path
) -> None:
    async with working(seeded, simulator, shared_folder.parent) as running:
        await _first_message(running)
    program = SessionFolder(shared_folder)
    began_at = time.monotonic()
    patient = replace(QUICK, folder_free_for_s=2.0)
    async with working(seeded, simulator, shared_folder.parent, patient):
        for _turn in range(3):  # a script between two recv()
            held = program.poll_lock.try_take()
            if held is not None:
                await until(lambda: _state("Shop A") == "polled_elsewhere", within_s=3)
                held.release()
        free_at = time.monotonic()
        await until(lambda: _state("Shop A") == "connected")
        assert time.monotonic() - free_at >= 1.5
        assert time.monotonic() - began_at >= 2.0


async def test_letting_another_program_receive_hands_the_polls_over(
    running_on_folder: Running, shared_folder: Path
) -> None:
    session = await _first_message(running_on_folder)
    control = running_on_folder.control
    await in_thread(shared.hand_over)()
    program = SessionFolder(shared_folder)
    held = await until(program.poll_lock.try_take, "the lock given up")
    assert _polls(running_on_folder, session.bot_id) == 0
    cursor = (await Session.objects.aget()).cursor
    assert read_token(program, "Shop A").cursor == cursor  # type: ignore[union-attr]
    await until(lambda: _state("Shop A") == "polled_elsewhere")
    await until(lambda: SharedFolder.objects.get().handed_over_at is None, "somebody took it")
    held.release()
    control.write(session.bot_id, LINA, "back again")
    await until(lambda: "back again" in _texts())


async def test_what_only_the_counts_show_stands_in_the_thread(
    running_on_folder: Running, shared_folder: Path
) -> None:
    await _first_message(running_on_folder)
    folder = SessionFolder(shared_folder)
    await until(lambda: folder.read_contexts("Shop A").get(LINA))
    now_s = time.time()

    def program_works(entry: StoredContext) -> None:
        with folder.changing() as change:
            change.write_contexts("Shop A", {LINA: entry})

    program_works(StoredContext("k2", now_s + 1, 0, 0.0, now_s))
    await until(lambda: Message.objects.filter(event="received_elsewhere").exists())
    conversation = await Conversation.objects.aget()
    assert (conversation.last_direction, conversation.waiting_since is not None) == ("in", True)
    program_works(StoredContext("k2", now_s + 1, 1, now_s + 2, now_s))
    await until(lambda: Message.objects.filter(event="answered_elsewhere").exists())
    conversation = await Conversation.objects.aget()
    assert (conversation.replies_used, conversation.waiting_since) == (1, None)
    assert (await Context.objects.aget()).token == "k2"


def _store(base: Path) -> sqlite3.Connection:
    """The SDK's history, as its version 0.6.2 makes it."""
    connection = sqlite3.connect(base / "messages.db")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(
        "CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, message_id INTEGER UNIQUE,"
        " user_id TEXT NOT NULL, bot_id TEXT NOT NULL DEFAULT '', msg_type INTEGER NOT NULL"
        " DEFAULT 1, direction INTEGER NOT NULL DEFAULT 1, text TEXT, timestamp_ms INTEGER NOT"
        " NULL DEFAULT 0, context_token TEXT NOT NULL DEFAULT '', data TEXT NOT NULL DEFAULT"
        " '{}', stored_at REAL NOT NULL)"
    )
    connection.commit()
    return connection


@pytest.fixture
def stored(shared_folder: Path) -> Callable[..., None]:
    made: list[sqlite3.Connection] = []

    def write(bot_id: str, text: str, **columns: Any) -> None:
        if not made:
            made.append(_store(shared_folder))
        row = {
            "message_id": None, "user_id": LINA, "bot_id": bot_id, "msg_type": 1, "direction": 1,
            "text": text, "timestamp_ms": int(time.time() * 1000), "context_token": "",
            "data": "{}", "stored_at": time.time(), **columns,
        }  # fmt: skip
        names = ", ".join(row)
        marks = ", ".join("?" for _ in row)
        made[0].execute(f"INSERT INTO messages ({names}) VALUES ({marks})", list(row.values()))
        made[0].commit()

    return write


async def test_what_scripts_receive_and_send_comes_from_their_history_once(
    running_on_folder: Running, stored: Callable[..., None]
) -> None:
    session = await _first_message(running_on_folder)
    bot = session.bot_id
    stored(bot, "to the script", message_id=7_600_000_000_000_000_001, context_token="k2")
    stored(bot, "by the script", direction=2)
    picture = {"image": {"media": {"encrypt_query_param": "q", "aes_key": "a2V5"}, "url": ""}}
    stored(bot, None, message_id=7_600_000_000_000_000_002, msg_type=2, data=json.dumps(picture))
    await until(lambda: Message.objects.filter(kind="image").exists(), "all three")
    assert await in_thread(_texts)() == ["hello", "to the script", ""]
    sent = await Message.objects.aget(direction="out")
    assert (sent.text, sent.sent_elsewhere, sent.status) == ("by the script", True, "sent")
    assert (await Context.objects.aget()).token == "k2"
    running_on_folder.control.write(bot, LINA, "and to us")
    await until(lambda: "and to us" in _texts())
    assert await Message.objects.filter(event__gt="").acount() == 0


async def test_a_message_that_both_received_is_there_once(
    running_on_folder: Running, stored: Callable[..., None]
) -> None:
    session = await _first_message(running_on_folder)
    ours = await Message.objects.aget()
    stored(session.bot_id, "hello", message_id=int(ours.wire_id))
    stored(session.bot_id, "a later one", message_id=7_600_000_000_000_000_009)
    await until(lambda: "a later one" in _texts())
    assert await in_thread(_texts)() == ["hello", "a later one"]


async def test_renaming_and_logging_out_while_polling(
    running_on_folder: Running, shared_folder: Path
) -> None:
    session = await _first_message(running_on_folder)
    control = running_on_folder.control
    await in_thread(services.rename_session)(session=session, new_name="Shop Z", user=None)
    await until(lambda: (shared_folder / "Shop Z" / "token.json").exists(), "the folder moved")
    assert not (shared_folder / "Shop A").exists()
    control.write(session.bot_id, LINA, "after the rename")
    await until(lambda: "after the rename" in _texts())
    await in_thread(services.log_out)(session=await Session.objects.aget(), user=None)
    await until(lambda: not (shared_folder / "Shop Z").exists(), "the folder gone")
    assert await Message.objects.filter(direction="in").acount() == 2
    await until(lambda: _polls(running_on_folder, session.bot_id) == 0)


async def test_a_stop_writes_the_last_cursor_and_lets_the_next_one_receive(
    seeded: Team, simulator: SimulatorServer, shared_folder: Path
) -> None:
    async with working(seeded, simulator, shared_folder.parent) as running:
        session = await _first_message(running)
        running.control.write(session.bot_id, LINA, "the last one")
        await until(lambda: "the last one" in _texts())
    program = SessionFolder(shared_folder)
    held = program.poll_lock.try_take()
    assert held is not None
    held.release()
    stored = read_token(program, "Shop A")
    assert stored is not None
    assert stored.cursor == (await Session.objects.aget()).cursor
