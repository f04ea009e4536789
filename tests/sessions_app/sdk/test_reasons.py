"""send() says why, whichever way it fails: in a false result's `.reason`, or as an error."""

import json
import time

import pytest

from sessions_app import QuotaExhaustedError, SessionExpiredError, WeiLink
from sessions_app.folder.store import UnknownSessionError
from sessions_app.ilink.errors import GatewayError, ILinkError, LineBrokenError, NotSentError
from sessions_app.sdk import SendResult

from .conftest import OTHER, PERSON, World, received


@pytest.fixture
def two(world: World) -> WeiLink:
    """A person who wrote to `zb`, and another session that they never wrote to."""
    world.bind("default")
    world.bind("zb")
    weilink = world.open()
    world.write("zb", "hello")
    received(weilink, 1)
    return weilink


def says(result: SendResult, code: str, *words: str) -> None:
    assert not result
    assert result.error is not None
    assert result.error.code == code
    assert result.reason == str(result.error)
    for one in words:
        assert one in result.reason


def raises(weilink: WeiLink, code: str, *words: str, session: str | None = None) -> ILinkError:
    with pytest.raises(ILinkError) as caught:
        weilink.send(PERSON, "hi", session=session)
    assert caught.value.code == code
    for one in words:
        assert one in str(caught.value)
    return caught.value


def test_what_went_has_no_reason(two: WeiLink) -> None:
    result = two.send(PERSON, "hi")
    assert (bool(result), result.reason, result.error) == (True, "", None)


@pytest.mark.parametrize("text", [None, ""])
def test_nothing_to_send(two: WeiLink, text: str | None) -> None:
    says(two.send(PERSON, text), "empty", "nothing to send")


def test_who_never_wrote(two: WeiLink) -> None:
    says(two.send(OTHER, "hi"), "no_context", "has not written yet")


def test_who_never_wrote_to_the_named_session_and_where_they_did(two: WeiLink) -> None:
    result = two.send(PERSON, "hi", session="default")
    says(result, "no_context", "has not written to “default”")
    assert getattr(result.error, "offer", None) == ("zb",)


def test_contexts_that_cannot_be_read_are_not_taken_for_a_stranger(
    world: World, two: WeiLink
) -> None:
    two.close()
    (world.base / "zb" / "contexts.json").write_text("{")
    weilink = world.open()
    says(weilink.send(PERSON, "hi"), "no_context", "contexts.json of “zb” is broken")
    says(weilink.send(PERSON, "hi", session="default"), "no_context", "has not written")


@pytest.mark.parametrize(("errmsg", "word"), [("rate limited", "rate limited"), ("", "code -2")])
def test_wechat_refuses_with_and_without_words(
    world: World, two: WeiLink, errmsg: str, word: str
) -> None:
    world.control.add_fault("ret", path="*sendmessage", times=1, ret=-2, errmsg=errmsg)
    says(two.send(PERSON, "hi"), "reply_refused", "WeChat refused the reply", word)


def test_wechat_refuses_with_another_code(world: World, two: WeiLink) -> None:
    world.control.add_fault("ret", path="*sendmessage", times=1, ret=-7, errmsg="no such user")
    says(two.send(PERSON, "hi"), "refused", "-7", "no such user")


def test_the_window_is_over(world: World, two: WeiLink) -> None:
    path = world.base / "zb" / "contexts.json"
    contexts = json.loads(path.read_text())
    contexts[PERSON]["ts"] = time.time() - 25 * 3600
    path.write_text(json.dumps(contexts))
    raises(two, "window_closed", "24 hours")


def test_the_replies_are_used_up_and_fewer_are_left_than_are_needed(two: WeiLink) -> None:
    for _ in range(9):
        two.send(PERSON, "x")
    with pytest.raises(QuotaExhaustedError, match="takes 3 replies, and 1"):
        two.send(PERSON, "text", image=b"and", video=b"more")
    two.send(PERSON, "the last one")
    raises(two, "quota_exhausted", "used up")


def test_the_session_is_signed_out(world: World, two: WeiLink) -> None:
    world.control.end_bot(world.bots["zb"])
    assert isinstance(raises(two, "session_expired", "expired"), SessionExpiredError)
    raises(two, "session_offline", "“zb” is signed out")


def test_the_text_is_too_long(two: WeiLink) -> None:
    with pytest.raises(ILinkError, match="16386 bytes; WeChat takes 16384") as caught:
        two.send(PERSON, "字" * 5462)
    assert caught.value.code == "text_too_long"


def test_no_line_a_broken_line_and_a_gateway(world: World, two: WeiLink) -> None:
    world.control.add_fault("lost", path="*sendmessage", times=1)
    assert isinstance(raises(two, "line_broken"), LineBrokenError)
    world.control.add_fault("status", path="*sendmessage", times=1, status=502)
    assert isinstance(raises(two, "gateway", "502"), GatewayError)
    path = world.base / "zb" / "token.json"
    token = {**json.loads(path.read_text()), "token": "x", "base_url": "http://127.0.0.1:1"}
    path.write_text(json.dumps(token))
    error = raises(two, "not_sent")
    assert isinstance(error, NotSentError)
    assert str(error)


def test_nobody_is_logged_in_and_no_session_of_this_name(world: World, two: WeiLink) -> None:
    with pytest.raises(UnknownSessionError, match="no session named “nobody”"):
        two.send(PERSON, "hi", session="nobody")
    two.logout("zb")
    two.logout("default")
    raises(two, "not_logged_in", "No session is logged in")
