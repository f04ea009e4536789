"""Logins, names, the default and logouts of the console and the public SDK follow each other."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.processes.beside import SharedConsole
from tests.processes.child import wait_for
from tests.processes.console import Console
from tests.sessions_app.sdk.peer import Peer

LINA = "lina@im.wechat"
FOLLOWS_S = 15.0
StartPeer = Callable[..., Peer]

pytestmark = pytest.mark.parametrize("wechat", [{"hold_s": 0.4}], indirect=True)


def _logs_in(shared: SharedConsole, peer: Peer, name: str, account: str) -> str:
    peer.ask("login", name=name)
    [waiting] = wait_for(lambda: shared.control.logins(open_only=True), "its code")
    shared.control.scan(waiting["handle"], account)
    bot_id = str(shared.control.confirm(waiting["handle"])["bot_id"])
    wait_for(lambda: bot_id in peer.ask("logged_in"), "its login")
    return bot_id


def _follows(shared: SharedConsole, names: set[str], what: str) -> None:
    def connected() -> set[str]:
        return {name for name, state in shared.states().items() if state != "logged_out"}

    wait_for(lambda: connected() == names, what, within_s=FOLLOWS_S)


def test_what_the_sdk_does_the_console_follows_within_2_s(
    shared: SharedConsole, start_peer: StartPeer
) -> None:
    shared.bind("default")
    shared.start()
    shared.wait_for_state("default", "connected")
    peer = start_peer()
    bot = _logs_in(shared, peer, "shop", "Guo")
    _follows(shared, {"default", "shop"}, "its login followed")
    shared.control.write(bot, LINA, "to the new one")
    wait_for(lambda: shared.console.incoming() == ["to the new one"], "polled at once")
    peer.ask("rename", old="shop", new="店铺 🙂")
    _follows(shared, {"default", "店铺 🙂"}, "its rename followed")
    peer.ask("set_default", name="店铺 🙂")
    wait_for(lambda: shared.default() == "店铺 🙂", "its default followed", within_s=FOLLOWS_S)
    peer.ask("logout", name="店铺 🙂")
    _follows(shared, {"default"}, "its logout followed")
    assert shared.states()["店铺 🙂"] == "logged_out"
    wait_for(lambda: shared.control.bot(bot)["polls"]["now"] == 0, "polled no more")
    assert shared.console.incoming() == ["to the new one"], "its messages are kept"


def test_what_the_console_does_a_fresh_sdk_sees_within_2_s(
    shared: SharedConsole, start_peer: StartPeer
) -> None:
    shared.bind("a")
    shared.bind("b", "Guo")
    shared.start()
    shared.wait_for_state("b", "connected")

    def seen(check: Callable[[Peer], bool]) -> Callable[[], bool]:
        def look() -> bool:
            peer = start_peer()
            found = check(peer)
            peer.kill()
            return found

        return look

    assert shared.call("POST", "/sessions/a/rename", {"new_name": "shop"})[0] == 200
    wait_for(
        seen(lambda peer: peer.ask("bot_ids") == {"shop": shared.bots["a"], "b": shared.bots["b"]}),
        "our rename seen",
        within_s=FOLLOWS_S,
    )
    assert shared.call("POST", "/sessions/b/default")[0] == 200
    wait_for(seen(lambda peer: peer.ask("default") == "b"), "our default seen", within_s=FOLLOWS_S)
    assert shared.call("POST", "/sessions/b/logout")[0] == 200
    wait_for(
        seen(lambda peer: peer.ask("sessions") == ["shop"]), "our logout seen", within_s=FOLLOWS_S
    )
    shared.control.add_account("Zhao")
    [bot] = shared.console.bind("Zhao")
    wait_for(
        seen(lambda peer: peer.ask("bot_ids").get("Shop of Zhao") == bot),
        "our login seen",
        within_s=FOLLOWS_S,
    )


def test_a_running_sdk_brings_no_renamed_or_logged_out_session_back(
    shared: SharedConsole, start_peer: StartPeer
) -> None:
    """At its end, and after each poll, it writes what it remembers: live tokens in old folders."""
    shared.bind("old")
    shared.bind("gone", "Guo")
    shared.start()
    shared.wait_for_state("gone", "connected")
    peer = start_peer()
    assert sorted(peer.ask("sessions")) == ["gone", "old"]
    assert shared.call("POST", "/sessions/old/rename", {"new_name": "new"})[0] == 200
    assert shared.call("POST", "/sessions/gone/logout")[0] == 200
    wait_for(lambda: not (shared.base / "old").exists(), "the folder moved")
    wait_for(lambda: not (shared.base / "gone").exists(), "the folder gone")
    peer.end()
    assert (shared.base / "old" / "token.json").exists(), "the SDK did not do what this is about"
    aside = {"old": "written_back", "gone": "written_back"}
    wait_for(lambda: shared.set_aside() == aside, "both set aside")
    assert shared.states() == {"new": "connected", "gone": "logged_out"}
    shared.control.write(shared.bots["old"], LINA, "to the renamed one")
    wait_for(lambda: shared.console.incoming() == ["to the renamed one"], "polled under its name")

    def polls_of_gone() -> dict[str, int]:
        polls: dict[str, int] = shared.control.bot(shared.bots["gone"])["polls"]
        return polls

    wait_for(lambda: polls_of_gone()["now"] == 0, "its last poll ended")
    at_its_end = polls_of_gone()
    assert shared.control.polls()["highest_of_one"] == 1
    # A console that starts on this folder sees no more in it.
    assert shared.console.child.terminate() == 0
    shared.start()
    shared.wait_for_state("new", "connected")
    assert shared.states() == {"new": "connected", "gone": "logged_out"}
    assert shared.set_aside() == aside
    assert polls_of_gone() == at_its_end


@pytest.fixture
def second(shared: SharedConsole, prepared: Path, tmp_path: Path) -> Iterator[SharedConsole]:
    """A console with a database of its own on the folder of the first."""
    folder = tmp_path / "second"
    folder.mkdir()
    shutil.copy2(prepared / "console.sqlite3", folder)
    (folder / "gathered_static").symlink_to(prepared / "gathered_static")
    first = shared.console
    keys = {key: first.env[key] for key in ("SECRET_KEY", "WEILINK_CREDENTIAL_KEYS")}
    made = Console(folder, first.simulator, keys)
    made.env["WEILINK_BASE_PATH"] = os.fspath(shared.base)
    other = SharedConsole(made)
    other.bots = shared.bots
    yield other
    made.close()


def test_of_two_consoles_on_one_folder_one_polls_and_both_send(
    shared: SharedConsole, second: SharedConsole
) -> None:
    bot = shared.bind("default")
    shared.start()
    shared.wait_for_state("default", "connected")
    second.start()
    second.wait_for_state("default", "polled_elsewhere")
    shared.control.write(bot, LINA, "to the first")
    wait_for(lambda: shared.console.incoming() == ["to the first"], "the message")
    wait_for(lambda: second.lines() == ["received_elsewhere"], "its line in the other one")
    for turn in range(4):
        one = (shared, second)[turn % 2]
        one.send(LINA, f"reply {turn}")
        assert one.remaining(LINA) == 10 - shared.counted("default", LINA) == 9 - turn
    assert shared.control.seen(bot, LINA) == [f"reply {turn}" for turn in range(4)]
    assert shared.control.polls()["highest_of_one"] == 1
    assert shared.console.child.terminate() == 0
    second.wait_for_state("default", "connected")
    shared.control.write(bot, LINA, "to the second")
    wait_for(lambda: "to the second" in second.console.incoming(), "taken over")
    assert shared.control.polls()["highest_of_one"] == 1
