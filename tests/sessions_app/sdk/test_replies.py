"""send(): routing by the newest token, counting before sending, and what is given back."""

import json
import time

import pytest

from sessions_app import (
    QuotaExhaustedError,
    SessionExpiredError,
    TextTooLongError,
    WeiLink,
    WindowClosedError,
)
from sessions_app.folder.store import UnknownSessionError
from sessions_app.ilink.errors import LineBrokenError, NotSentError, ReplyRefusedError

from .conftest import OTHER, PERSON, World, received


def _wrote(world: World, weilink: WeiLink, *names: str) -> None:
    """The person writes to these sessions, in this order."""
    for name in names:
        world.write(name, "hello")
        received(weilink, 1)


def _count(world: World, name: str, person: str = PERSON) -> int:
    return world.folder.read_contexts(name)[person].replies_used


@pytest.fixture
def two(world: World) -> WeiLink:
    world.bind("default")
    world.bind("zb")
    return world.open()


def test_a_reply_goes_through_the_session_of_the_newest_message(world: World, two: WeiLink) -> None:
    _wrote(world, two, "default", "zb")
    assert two.send(PERSON, "to zb").session == "zb"
    _wrote(world, two, "default")
    assert two.send(PERSON, "to default").session == "default"
    assert (world.seen("default"), world.seen("zb")) == (["to default"], ["to zb"])


def test_a_named_session_is_taken_or_refused_never_replaced(world: World, two: WeiLink) -> None:
    _wrote(world, two, "default", "zb")
    assert two.send(PERSON, "older", session="default").session == "default"
    assert not two.send(OTHER, "never wrote", session="default")
    with pytest.raises(UnknownSessionError):
        two.send(PERSON, "x", session="nobody")
    assert world.seen("zb") == []


def test_the_newest_decides_even_when_it_is_used_up_and_others_are_offered(
    world: World, two: WeiLink
) -> None:
    _wrote(world, two, "default", "zb")
    for number in range(10):
        assert two.send(PERSON, f"{number}").remaining == 9 - number
    with pytest.raises(QuotaExhaustedError) as caught:
        two.send(PERSON, "eleventh")
    assert caught.value.offer == ("default",)
    assert world.seen("default") == []
    refused = two.send(PERSON, "override", override=True)
    assert not refused
    assert isinstance(refused.error, ReplyRefusedError)


def test_an_ended_session_offers_the_others(world: World, two: WeiLink) -> None:
    _wrote(world, two, "default", "zb")
    world.control.end_bot(world.bots["zb"])
    with pytest.raises(SessionExpiredError):
        two.send(PERSON, "WeChat says no")
    with pytest.raises(SessionExpiredError) as caught:
        two.send(PERSON, "we know")
    assert getattr(caught.value, "offer", None) == ("default",)
    assert world.seen("default") == []


def test_the_window_is_24_hours_of_the_persons_own_time(world: World, two: WeiLink) -> None:
    _wrote(world, two, "default", "zb")
    path = world.base / "zb" / "contexts.json"
    contexts = json.loads(path.read_text())
    contexts[PERSON]["ts"] = time.time() - 24 * 3600 + 60
    path.write_text(json.dumps(contexts))
    assert two.send(PERSON, "just in time", session="zb")
    contexts[PERSON]["ts"] -= 120
    path.write_text(json.dumps(contexts))
    with pytest.raises(WindowClosedError) as caught:
        two.send(PERSON, "too late", session="zb")
    assert caught.value.offer == ("default",)
    assert two.send(PERSON, "all the same", session="zb", override=True)


def test_a_person_who_never_wrote_cannot_be_written_to(two: WeiLink) -> None:
    result = two.send("stranger@im.wechat", "hello")
    assert not result
    assert result.remaining is None


def test_nothing_to_send_is_false_and_a_long_text_is_said_before_it_counts(
    world: World, two: WeiLink
) -> None:
    _wrote(world, two, "zb")
    assert not two.send(PERSON)
    assert not two.send(PERSON, "")
    with pytest.raises(TextTooLongError):
        two.send(PERSON, "字" * 5462)
    assert two.send(PERSON, "字" * 5461).remaining == 9


def test_a_reply_is_counted_on_disk_before_it_is_sent(world: World, two: WeiLink) -> None:
    _wrote(world, two, "zb")
    world.control.add_fault("lost", path="*sendmessage", times=1)
    with pytest.raises(LineBrokenError):
        two.send(PERSON, "who knows")
    assert _count(world, "zb") == 1
    assert two.send(PERSON, "second").remaining == 8


def test_a_reply_of_which_no_byte_left_is_taken_back(world: World, two: WeiLink) -> None:
    _wrote(world, two, "zb")
    assert two.send(PERSON, "one").remaining == 9
    path = world.base / "zb" / "token.json"
    good = path.read_text()
    path.write_text(
        json.dumps({**json.loads(good), "token": "x", "base_url": "http://127.0.0.1:1"})
    )
    with pytest.raises(NotSentError):
        two.send(PERSON, "never left")
    assert _count(world, "zb") == 1
    path.write_text(good)
    assert two.send(PERSON, "two").remaining == 8
    assert world.replies("zb") == 2


def test_a_refusal_is_false_says_why_and_stays_counted(world: World, two: WeiLink) -> None:
    _wrote(world, two, "zb")
    world.control.add_fault("ret", path="*sendmessage", times=1, ret=-2, errmsg="rate limited")
    result = two.send(PERSON, "no")
    assert (bool(result), result.remaining, _count(world, "zb")) == (False, 9, 1)
    assert "rate limited" in str(result.error)


def test_parts_after_a_refused_one_are_given_back(world: World, two: WeiLink) -> None:
    _wrote(world, two, "zb")
    world.control.add_fault("ret", path="*sendmessage", times=1, ret=-2)
    result = two.send(PERSON, "refused", image=b"never sent", video=b"nor this")
    assert (bool(result), result.remaining, _count(world, "zb")) == (False, 9, 1)


def test_a_file_that_cannot_be_uploaded_costs_no_reply(world: World, two: WeiLink) -> None:
    _wrote(world, two, "zb")
    world.control.add_fault("status", path="*/upload*", times=None, status=403)
    with pytest.raises(Exception, match="CDN does not take"):
        two.send(PERSON, "with a picture", image=b"png")
    assert _count(world, "zb") == 1  # the text
    assert world.seen("zb") == ["with a picture"]


def test_an_answer_without_an_id_is_true_and_not_confirmed(world: World, two: WeiLink) -> None:
    _wrote(world, two, "zb")
    assert two.send(PERSON, "with").message_ids[0]
    world.control.switches(gives_message_ids=False)
    result = two.send(PERSON, "without")
    assert (bool(result), result.message_ids) == (True, (None,))


def test_a_new_message_brings_a_new_ten(world: World, two: WeiLink) -> None:
    _wrote(world, two, "zb")
    for _ in range(10):
        two.send(PERSON, "x")
    _wrote(world, two, "zb")
    assert two.send(PERSON, "again").remaining == 9


def test_counts_outlive_the_process_and_other_peoples_are_not_touched(
    world: World, two: WeiLink
) -> None:
    _wrote(world, two, "zb")
    world.write("zb", "me too", OTHER)
    received(two, 1)
    two.send(PERSON, "x")
    two.send(OTHER, "y")
    two.send(OTHER, "z")
    two.close()
    assert (_count(world, "zb"), _count(world, "zb", OTHER)) == (1, 2)
    assert world.open().send(PERSON, "x").remaining == 8


def test_two_weilinks_on_one_folder_share_the_count(world: World, two: WeiLink) -> None:
    _wrote(world, two, "zb")
    other = world.open()
    for number in range(5):
        assert two.send(PERSON, "ours").remaining == 9 - 2 * number
        assert other.send(PERSON, "theirs").remaining == 8 - 2 * number
    for weilink in (two, other):
        with pytest.raises(QuotaExhaustedError):
            weilink.send(PERSON, "eleventh")
    assert world.replies("zb") == 10


def test_a_count_that_an_sdk_overwrote_is_not_lost(world: World, two: WeiLink) -> None:
    _wrote(world, two, "zb")
    for _ in range(4):
        two.send(PERSON, "x")
    path = world.base / "zb" / "contexts.json"
    contexts = json.loads(path.read_text())
    contexts[PERSON]["sc"] = 1
    path.write_text(json.dumps(contexts))
    assert two.send(PERSON, "y").remaining == 5
    assert _count(world, "zb") == 5


def test_an_sdks_old_count_beside_a_new_token_is_not_believed(world: World, two: WeiLink) -> None:
    _wrote(world, two, "zb")
    for _ in range(9):
        two.send(PERSON, "x")
    _wrote(world, two, "zb")
    path = world.base / "zb" / "contexts.json"
    contexts = json.loads(path.read_text())
    contexts[PERSON]["sc"] = 10
    path.write_text(json.dumps(contexts))
    assert two.send(PERSON, "y").remaining in (8, 9)


def test_typing_is_shown_and_hidden_and_a_refused_ticket_is_replaced(
    world: World, two: WeiLink
) -> None:
    _wrote(world, two, "zb")
    bot = world.bots["zb"]
    two.send_typing(PERSON)
    assert world.control.chat(bot, PERSON)["typing"]
    two.stop_typing(PERSON)
    assert not world.control.chat(bot, PERSON)["typing"]
    world.control.add_fault("ret", path="*sendtyping", times=1, ret=-1)
    two.send_typing(PERSON)
    assert world.control.chat(bot, PERSON)["typing"]
    assert world.control.requests()["/ilink/bot/getconfig"] == 2
    two.send_typing("stranger@im.wechat")
