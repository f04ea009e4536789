"""The main job without a browser, on a simulated WeChat and over both stores: the same rules."""

from messaging.models import Conversation, Message
from sessions_app.models import Context, Session
from sessions_app.sessions import services
from tests.conftest import Running, in_thread, until
from tests.replies import send_reply

LINA = "lina@im.wechat"


def _reply(text: str) -> Message:
    conversation = Conversation.objects.get()
    return send_reply(user=None, conversation=conversation, text=text, draft_key="d1")


async def test_a_customer_is_received_and_answered(running_on_either: Running) -> None:
    session = await running_on_either.scan("Shop A")
    running_on_either.control.add_person("Li Na", LINA)
    running_on_either.control.write(session.bot_id, LINA, "我的包裹在哪里？")

    message = await until(lambda: Message.objects.filter(text="我的包裹在哪里？").first())
    assert message.direction == "in"

    reply = await in_thread(_reply)("今天下午会送到")
    await until(lambda: Message.objects.filter(pk=reply.pk, status="sent").exists(), "sent")
    assert running_on_either.control.seen(session.bot_id, LINA) == ["今天下午会送到"]


async def test_two_sessions_receive_side_by_side(running_on_either: Running) -> None:
    first, second = (
        await running_on_either.scan("Shop A", "Lin"),
        await running_on_either.scan("Repairs", "Guo"),
    )
    running_on_either.control.add_person("Li Na", LINA)
    running_on_either.control.write(first.bot_id, LINA, "to the shop")
    await until(lambda: Message.objects.filter(text="to the shop").exists())
    running_on_either.control.write(second.bot_id, LINA, "to repairs")

    await until(lambda: Message.objects.filter(direction="in").count() == 2)
    conversation = await Conversation.objects.aget()
    assert await Context.objects.filter(user_id=LINA).acount() == 2
    assert conversation.session_id == second.pk


async def test_a_dead_token_turns_expired_and_is_not_polled_on(running_on_either: Running) -> None:
    session = await running_on_either.scan("Shop A")
    running_on_either.control.end_bot(session.bot_id)

    await until(lambda: Session.objects.filter(pk=session.pk, state="expired").exists())
    session = await Session.objects.aget(pk=session.pk)
    assert session.error_code == "signed_out"


def _is_still(running: Running, bot_id: str) -> bool:
    """WeChat was told that nobody polls for this bot, and nobody does."""
    bot = running.control.bot(bot_id)
    return bool(bot["stopped"]) and bot["polls"]["now"] == 0


async def test_a_paused_session_receives_nothing_but_answers(running_on_either: Running) -> None:
    running = running_on_either
    session = await running.scan("Shop A")
    running.control.write(session.bot_id, LINA, "before")
    await until(lambda: Message.objects.filter(text="before").exists())
    await in_thread(services.set_paused)(session=session, paused=True, user=None)
    await until(lambda: _is_still(running, session.bot_id), "polling ended")

    reply = await in_thread(_reply)("while paused")
    await until(lambda: Message.objects.filter(pk=reply.pk, status="sent").exists(), "sent")
    running.control.write(session.bot_id, LINA, "meanwhile")
    assert _is_still(running, session.bot_id)
    assert not await Message.objects.filter(text="meanwhile").aexists()

    await in_thread(services.set_paused)(session=session, paused=False, user=None)
    await until(lambda: Message.objects.filter(text="meanwhile").count() == 1, "what it missed")


async def test_a_renamed_session_goes_on_and_a_logged_out_one_ends(
    running_on_either: Running,
) -> None:
    running = running_on_either
    session = await running.scan("Shop A")
    running.control.write(session.bot_id, LINA, "before")
    await until(lambda: Message.objects.filter(text="before").exists())
    await in_thread(services.rename_session)(session=session, new_name="Shop Z", user=None)
    running.control.write(session.bot_id, LINA, "after")
    await until(lambda: Message.objects.filter(text="after").exists())
    reply = await in_thread(_reply)("as Shop Z")
    await until(lambda: Message.objects.filter(pk=reply.pk, status="sent").exists(), "sent")

    renamed = await Session.objects.aget()
    assert (renamed.pk, renamed.name, renamed.state) == (session.pk, "Shop Z", "connected")
    await in_thread(services.log_out)(session=renamed, user=None)
    await until(lambda: _is_still(running, session.bot_id), "polling ended")
    ended = await Session.objects.aget()
    assert (ended.name, ended.state, ended.encrypted_token) == ("Shop Z", "logged_out", "")
    assert await Message.objects.filter(direction="in").acount() == 2
