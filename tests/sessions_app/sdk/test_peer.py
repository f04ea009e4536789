"""The public `weilink` SDK 0.6.2 beside us on one folder: both send, one polls, nothing is lost."""

from collections.abc import Iterator

import pytest

from .conftest import OTHER, PERSON, World, received, texts, until
from .peer import Peer


@pytest.fixture
def peer(world: World) -> Iterator[Peer]:
    """With one session: polling two, its threads race for the descriptor of its lock, and now and
    then it shuts everybody out, itself too, until it ends (seen with 0.6.2)."""
    world.bind("default")
    started = Peer(world.base)
    yield started
    started.end()


def _until_it_has(world: World, peer: Peer, person: str, context_token: str) -> None:
    """It may keep messages from its caller; the folder shows what came."""

    def has_it() -> bool:
        peer.ask("recv")
        context = world.folder.read_contexts("default").get(person)
        return context is not None and context.token == context_token

    until(has_it, "the SDK to receive", within_s=20)


def _alternate(world: World, peer: Peer, sends: int, *, we_poll: bool) -> None:
    """Both answer in turn; after every answer of ours the count is what WeChat itself counts."""
    weilink = world.open()
    for number in range(sends):
        if number % 8 == 0:
            message = world.write("default", f"message {number}")
            if we_poll:
                assert texts(received(weilink, 1)) == [f"message {number}"]
            else:
                _until_it_has(world, peer, PERSON, message["context_token"])
        if number % 2:
            # With a stale count in its memory it may stop early; that is its own loss.
            assert peer.ask("send", to=PERSON, text=f"peer {number}") in (True, "quota")
        else:
            result = weilink.send(PERSON, f"ours {number}")
            assert result
            assert world.seen("default")[-1] == f"ours {number}"
            assert result.remaining == 10 - world.replies("default")


@pytest.mark.parametrize("we_poll", [True, False], ids=["we poll", "the SDK polls"])
def test_200_alternating_sends_lose_no_count(world: World, peer: Peer, we_poll: bool) -> None:
    _alternate(world, peer, 200, we_poll=we_poll)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("we_poll", [True, False], ids=["we poll", "the SDK polls"])
def test_a_thousand_alternating_sends_lose_no_count(
    world: World, peer: Peer, we_poll: bool
) -> None:
    _alternate(world, peer, 1_000, we_poll=we_poll)


def test_it_reads_what_we_wrote_and_we_read_what_it_wrote(world: World, peer: Peer) -> None:
    assert peer.ask("sessions") == ["default"]
    weilink = world.open()
    world.write("default", "to us")
    received(weilink, 1)
    weilink.recv(timeout=0.1)
    weilink.close()
    assert peer.ask("send", to=PERSON, text="by the SDK")
    assert world.seen("default") == ["by the SDK"]
    message = world.write("default", "to the SDK", OTHER)
    _until_it_has(world, peer, OTHER, message["context_token"])
    assert world.open().send(OTHER, "by us")
    assert world.seen("default", OTHER) == ["by us"]


def test_its_old_count_rewritten_for_everybody_costs_nobody_a_reply(
    world: World, peer: Peer
) -> None:
    """It never resets a count in memory and writes all people on each send."""
    weilink = world.open()
    for person in (PERSON, OTHER):
        world.write("default", "first", person)
    received(weilink, 2)
    for _ in range(9):
        assert peer.ask("send", to=PERSON, text="x")
    world.write("default", "a new ten")
    received(weilink, 1)
    assert peer.ask("send", to=OTHER, text="this writes the old count beside the new token")
    assert world.folder.read_contexts("default")[PERSON].replies_used == 9
    assert weilink.send(PERSON, "we know better").remaining == 9
    assert peer.ask("send", to=PERSON, text="and it takes our count over") is True
    assert weilink.send(PERSON, "both counted").remaining == 7
    assert world.replies("default") == 3


def test_it_cannot_bring_a_renamed_session_back(world: World, peer: Peer) -> None:
    weilink = world.open()
    assert peer.ask("sessions") == ["default"]
    weilink.rename_session("default", "shop")
    peer.end()  # at its end it writes every session that it knew
    assert (world.base / "default" / "token.json").exists()
    assert weilink.bot_ids == {"shop": world.bots["default"]}
    weilink.logout("shop")
    assert weilink.bot_ids == {}


def test_its_rename_is_followed(world: World, peer: Peer) -> None:
    weilink = world.open()
    peer.ask("rename", old="default", new="shop")
    assert weilink.bot_ids == {"shop": world.bots["default"]}
    world.write("default", "hello")
    assert texts(received(weilink, 1)) == ["hello"]
