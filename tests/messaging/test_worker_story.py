"""The main job without a browser: scan, receive, answer, on a simulated WeChat."""

from messaging import services
from messaging.models import Conversation, Message
from sessions_app.models import Context, Session
from tests.conftest import Running, in_thread, until

LINA = "lina@im.wechat"


def _reply(text: str) -> Message:
    thread = Conversation.objects.get()
    return services.send_reply(user=None, conversation=thread, text=text, draft_key="d1")


async def test_a_customer_is_received_and_answered(running: Running) -> None:
    session = await running.scan("Shop A")
    running.control.add_person("Li Na", LINA)
    running.control.write(session.bot_id, LINA, "我的包裹在哪里？")

    message = await until(lambda: Message.objects.filter(text="我的包裹在哪里？").first())
    assert message.direction == "in"

    reply = await in_thread(_reply)("今天下午会送到")
    await until(lambda: Message.objects.filter(pk=reply.pk, status="sent").exists(), "sent")
    assert running.control.seen(session.bot_id, LINA) == ["今天下午会送到"]


async def test_two_sessions_receive_side_by_side(running: Running) -> None:
    first, second = await running.scan("Shop A", "Lin"), await running.scan("Repairs", "Guo")
    running.control.add_person("Li Na", LINA)
    running.control.write(first.bot_id, LINA, "to the shop")
    await until(lambda: Message.objects.filter(text="to the shop").exists())
    running.control.write(second.bot_id, LINA, "to repairs")

    await until(lambda: Message.objects.filter(direction="in").count() == 2)
    thread = await Conversation.objects.aget()
    assert await Context.objects.filter(user_id=LINA).acount() == 2
    assert thread.session_id == second.pk


async def test_a_dead_token_turns_expired_and_is_not_polled_on(running: Running) -> None:
    session = await running.scan("Shop A")
    running.control.end_bot(session.bot_id)

    await until(lambda: Session.objects.filter(pk=session.pk, state="expired").exists())
    session = await Session.objects.aget(pk=session.pk)
    assert session.error_code == "signed_out"
