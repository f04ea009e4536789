"""Pictures, sound, video and files: received, downloaded, uploaded, sent."""

import pytest

from sessions_app import MessageType, WeiLink
from sessions_app.sdk.parts import sound_name

from .conftest import OTHER, PERSON, World, received

PICTURE = b"\x89PNG" + bytes(range(256)) * 9


@pytest.fixture
def weilink(world: World) -> WeiLink:
    world.bind("default")
    opened = world.open()
    world.write("default", "hello")
    received(opened, 1)
    return opened


@pytest.mark.parametrize("kind", ["image", "voice", "file", "video"])
def test_a_received_file_is_downloaded_whole(world: World, weilink: WeiLink, kind: str) -> None:
    world.write("default", "", kind=kind, file_name="报价.pdf")
    (message,) = received(weilink, 1)
    assert message.msg_type is MessageType[kind.upper()]
    assert getattr(message, kind) is not None
    assert [one for one in ("image", "voice", "file", "video") if getattr(message, one)] == [kind]
    content = weilink.download(message)
    assert content
    if kind == "file":
        assert message.file is not None
        assert message.file.file_name == "报价.pdf"
        assert str(len(content)) == message.file.file_size


def test_a_text_has_nothing_to_download(world: World, weilink: WeiLink) -> None:
    world.write("default", "text")
    (message,) = received(weilink, 1)
    with pytest.raises(ValueError, match="no file"):
        weilink.download(message)


def test_a_quote_comes_with_its_message(world: World, weilink: WeiLink) -> None:
    first = world.write("default", "the first")
    world.write("default", "about that", quote_of=str(first["message_id"]))
    message = next(one for one in received(weilink, 2) if one.text == "about that")
    assert message.ref_msg is not None
    assert message.ref_msg.text == "the first"


def test_each_part_is_one_reply_in_order(world: World, weilink: WeiLink) -> None:
    result = weilink.send(
        PERSON, "text", image=[PICTURE, PICTURE], file=b"abc", file_name="a.txt", video=b"mp4"
    )
    assert (bool(result), result.remaining, len(result.message_ids)) == (True, 5, 5)
    sends = world.control.sends(bot_id=world.bots["default"])
    assert [one["kind"] for one in sends] == ["text", "image", "image", "file", "video"]
    assert {one["outcome"] for one in sends} == {"shown"}
    assert world.control.violations()["items"] == []


def test_sound_goes_as_a_file_because_voice_is_never_shown(world: World, weilink: WeiLink) -> None:
    assert weilink.send(PERSON, voice=b"ID3\x04rest")
    (sent,) = world.control.sends(bot_id=world.bots["default"])
    assert (sent["kind"], sent["outcome"]) == ("file", "shown")
    assert sound_name(b"\x02#!SILK_V3...") == "voice.silk"


def test_an_upload_is_sent_as_often_as_wanted_without_uploading_again(
    world: World, weilink: WeiLink
) -> None:
    uploaded = weilink.upload(PERSON, PICTURE, "image")
    document = weilink.upload(PERSON, b"abc", "file", "a.txt")
    assert weilink.send(PERSON, image=[uploaded, uploaded], file=document)
    assert world.control.requests()["/ilink/bot/getuploadurl"] == 2
    assert len(world.control.sends(outcome="shown")) == 3


def test_an_upload_for_somebody_else_is_refused_before_it_counts(
    world: World, weilink: WeiLink
) -> None:
    world.write("default", "me too", OTHER)
    received(weilink, 1)
    uploaded = weilink.upload(PERSON, PICTURE, "image")
    with pytest.raises(ValueError, match="another person"):
        weilink.send(OTHER, image=uploaded)
    assert weilink.send(OTHER, "text").remaining == 9


def test_wrong_arguments_are_value_errors(weilink: WeiLink) -> None:
    with pytest.raises(ValueError, match="file_name"):
        weilink.send(PERSON, file=b"abc")
    with pytest.raises(ValueError, match="file_name"):
        weilink.send(PERSON, file=[b"a", b"b"], file_name=["only one", ""])
    with pytest.raises(ValueError, match="media_type"):
        weilink.upload(PERSON, b"abc", "sticker")
    with pytest.raises(ValueError, match="file_name"):
        weilink.upload(PERSON, b"abc", "file")
    assert weilink.send(PERSON, "nothing was counted").remaining == 9
