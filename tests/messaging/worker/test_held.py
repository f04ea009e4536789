"""A copy that is held: its worker is heard, but neither polls nor sends before the release."""

from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command

from messaging.models import Conversation, Message
from sessions_app.board import queries
from sessions_app.installation import standing
from sessions_app.models import Session, Team
from sessions_app.simulator.serve import SimulatorServer
from tests.conftest import Running, in_thread, until, working
from tests.replies import send_reply

pytestmark = pytest.mark.django_db(transaction=True)

LINA = "lina@im.wechat"


def _reply() -> Message:
    conversation = Conversation.objects.get(contact__user_id=LINA)
    return send_reply(user=None, conversation=conversation, text="hello", draft_key="k")


def _incoming() -> list[str]:
    return list(Message.objects.filter(direction="in").values_list("text", flat=True))


async def test_nothing_is_polled_or_sent_before_the_release(
    running: Running, seeded: Team, simulator: SimulatorServer
) -> None:
    session: Session = await running.scan("Shop A")
    control, bot = running.control, session.bot_id
    await in_thread(control.write)(bot, LINA, "one")
    await until(lambda: _incoming() == ["one"], "the first message")
    await running.worker.stop()

    await in_thread(standing.hold)(copy_of="sqlite:////srv/console.sqlite3")
    reply: Message = await in_thread(_reply)()
    before = control.polls()["by_bot"][bot]
    async with working(seeded, simulator, settings.DATA_DIR) as held:
        await until(lambda: queries.worker().alive, "the held worker heard")
        beat = await in_thread(queries.worker)()
        await until(lambda: queries.worker().heard_at > beat.heard_at, "a second beat")
        assert control.polls()["by_bot"][bot] == before
        assert await in_thread(lambda: Message.objects.get(pk=reply.pk).status)() == "queued"

        assert await in_thread(standing.release)(user=None)
        await until(lambda: Message.objects.get(pk=reply.pk).status == "sent", "the reply sent")
        await in_thread(control.write)(bot, LINA, "two")
        await until(lambda: _incoming() == ["one", "two"], "what came after the release")
        assert held.worker.worker_id


async def test_a_worker_that_runs_while_its_data_is_restored_lets_go(running: Running) -> None:
    """Removed, it starts over, and finds that it is held."""
    session: Session = await running.scan("Shop A")
    control, bot = running.control, session.bot_id
    await until(lambda: control.bot(bot)["polls"]["now"] == 1, "polled")
    await in_thread(call_command)("copy_database", "--restored", stdout=StringIO())
    await until(lambda: control.bot(bot)["polls"]["now"] == 0, "let go")
    polls = control.polls()["by_bot"][bot]
    await in_thread(control.write)(bot, LINA, "one")
    await until(lambda: running.worker.delivery.worker_id == "", "no claims")
    assert control.polls()["by_bot"][bot] == polls
    await in_thread(standing.release)(user=None)
    await until(lambda: _incoming() == ["one"], "received after the release")


async def test_a_held_worker_stops_at_once(seeded: Team, simulator: SimulatorServer) -> None:
    await in_thread(standing.hold)(copy_of="sqlite:////srv/console.sqlite3")
    async with working(seeded, simulator, settings.DATA_DIR) as held:
        await until(lambda: queries.worker().alive, "the held worker heard")
    assert held.worker.worker_id
    assert not await in_thread(lambda: queries.worker().alive)()
