"""SIGKILL of the console and of the SDK at random moments while messages flow and both send.

WeChat gives again what was not acknowledged. Each run prints its seed: the same seed kills at the
same moments after each start.
"""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.processes.beside import SharedConsole
from tests.processes.child import wait_for
from tests.sessions_app.sdk.peer import Peer

PEOPLE = [f"guest-{number}@im.wechat" for number in range(4)]
BOT = "default"
StartPeer = Callable[..., Peer]

pytestmark = [
    pytest.mark.parametrize(
        "wechat", [{"cursor_mode": "replay", "hold_s": 0.4}], indirect=True
    ),
    pytest.mark.timeout(1800),
]  # fmt: skip


class Talk:
    """People who write, and an agent who answers, without a pause, until they are stopped."""

    def __init__(self, shared: SharedConsole) -> None:
        self.shared = shared
        self.written = 0
        self.replied = 0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=each) for each in (self._write, self._reply)]

    def _write(self) -> None:
        while not self._stop.wait(0.03):
            person = PEOPLE[self.written % len(PEOPLE)]
            self.shared.control.write(self.shared.bots[BOT], person, f"m {self.written}")
            self.written += 1

    def _reply(self) -> None:
        """Refused and unanswered requests are fine: a console that is down takes nothing."""
        while not self._stop.wait(0.05):
            person = PEOPLE[self.replied % len(PEOPLE)]
            self.shared.call("POST", "/messages", {"to": person, "text": f"ours {self.replied}"})
            self.replied += 1

    @contextmanager
    def going_on(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join(30)


def _moments() -> random.Random:
    seed = int(os.environ.get("KILL_SEED") or time.time_ns() % 1_000_000)
    print(f"KILL_SEED={seed}")
    return random.Random(seed)


def _ready(shared: SharedConsole) -> None:
    """Each token is good until its ten replies are sent: a person who writes all the time would
    otherwise make WeChat refuse every reply that is under way."""
    shared.bind(BOT)
    shared.control.switches(only_newest_token=False)
    for person in PEOPLE:
        shared.control.add_person(person.partition("@")[0], person)


def _everything_is_there_once(shared: SharedConsole, talk: Talk) -> None:
    """What waits for a decision is settled, and what waits for minutes: a program that was killed
    did not count its replies, so that tokens of several people may be spent without our knowing,
    which looks as if WeChat limited the whole bot."""
    written = [f"m {number}" for number in range(talk.written)]

    def is_settled() -> bool:
        shared.assert_whole()
        return set(shared.console.incoming()) == set(written) and not shared.console.count(
            "messaging_message", "status IN ('queued', 'sending')"
            " AND NOT EXISTS (SELECT 1 FROM messaging_message AS held WHERE held.holds_queue"
            " AND held.conversation_id = messaging_message.conversation_id)"
            " AND NOT EXISTS (SELECT 1 FROM sessions_app_session AS bot"
            " WHERE bot.id = messaging_message.session_id AND bot.throttled_until IS NOT NULL)",
        )  # fmt: skip

    try:
        wait_for(is_settled, "everything settled", within_s=30)
    except AssertionError as error:
        missing = sorted(set(written) - set(shared.console.incoming()))
        fates = Counter(shared.console.fates().values())
        raise AssertionError(f"missing: {missing}; {fates}") from error
    assert max(Counter(shared.console.incoming()).values()) == 1, "stored twice"
    assert talk.replied > 10
    ours = _ours(shared)
    assert len(ours) > 3, "the console hardly answered"
    assert max(ours.values()) == 1, "a reply of ours was sent twice"


def _ours(shared: SharedConsole) -> Counter[str]:
    """The replies of the console that reached WeChat."""
    sent = (str(one["text"]) for one in shared.control.sends(bot_id=shared.bots[BOT]))
    return Counter(text for text in sent if text.startswith("ours"))


def _no_count_is_lost(shared: SharedConsole, *, peer_was_killed: bool) -> None:
    """Ours is never below WeChat's, and above it by no more than what it may not have taken."""
    for person in PEOPLE:
        at_wechat = shared.counted(BOT, person)
        query = f"SELECT replies_used FROM sessions_app_context WHERE user_id = '{person}'"
        [(ours,)] = shared.console.rows(query)
        open_fates = shared.console.count(
            "messaging_message",
            "direction = 'out' AND status <> 'sent' AND conversation_id = (SELECT id FROM"
            " messaging_conversation WHERE contact_id = (SELECT id FROM messaging_contact"
            f" WHERE user_id = '{person}'))",
        )
        assert ours <= at_wechat + open_fates, (person, ours, at_wechat, open_fates)
        if not peer_was_killed:
            assert ours >= at_wechat, (person, ours, at_wechat)


def _kill_consoles(shared: SharedConsole, start_peer: StartPeer, times: int) -> None:
    """Every other time the SDK only sends, so that the console polls when it is killed."""
    rng, talk = _moments(), Talk(shared)
    _ready(shared)
    peer = start_peer(store=True)
    shared.start()
    shared.wait_for_state(BOT, "connected")
    with talk.going_on():
        wait_for(lambda: len(_ours(shared)) > 3, "the console answers")
        for turn in range(times):
            if turn == times // 2:
                peer.ask("answer_all")
            end_at = time.monotonic() + rng.uniform(0.2, 1.5)
            while time.monotonic() < end_at:
                if turn < times // 2:
                    person = PEOPLE[talk.written % len(PEOPLE)]
                    peer.ask("send", to=person, text=f"peer {talk.written}")
                else:
                    time.sleep(0.02)  # not to wait: the random moment
            shared.console.child.kill()
            shared.assert_whole()
            shared.console.start()
    peer.kill()
    _everything_is_there_once(shared, talk)
    _no_count_is_lost(shared, peer_was_killed=True)


def _kill_peers(shared: SharedConsole, start_peer: StartPeer, times: int) -> None:
    rng, talk = _moments(), Talk(shared)
    _ready(shared)
    peer = start_peer(store=True)
    peer.ask("answer_all")
    wait_for(lambda: shared.control.polls()["now"], "the SDK polling")
    shared.start()
    shared.wait_for_state(BOT, "polled_elsewhere")
    heard = 0
    with talk.going_on():
        wait_for(lambda: len(_ours(shared)) > 3, "the console answers")
        for _turn in range(times):
            time.sleep(rng.uniform(0.3, 1.5))  # not to wait: the random moment
            heard += len(peer.ask("heard"))
            peer.kill()
            shared.assert_whole()
            peer = start_peer(store=True)
            peer.ask("answer_all")
    assert heard, "no SDK lived long enough to receive anything"
    peer.kill()
    _everything_is_there_once(shared, talk)
    _no_count_is_lost(shared, peer_was_killed=True)


def test_the_console_killed_at_5_random_moments(
    shared: SharedConsole, start_peer: StartPeer
) -> None:
    _kill_consoles(shared, start_peer, 5)


@pytest.mark.slow
def test_the_sdk_killed_at_5_random_moments(shared: SharedConsole, start_peer: StartPeer) -> None:
    _kill_peers(shared, start_peer, 5)


@pytest.mark.slow
def test_the_console_killed_at_50_random_moments(
    shared: SharedConsole, start_peer: StartPeer
) -> None:
    _kill_consoles(shared, start_peer, 50)


@pytest.mark.slow
def test_the_sdk_killed_at_50_random_moments(shared: SharedConsole, start_peer: StartPeer) -> None:
    _kill_peers(shared, start_peer, 50)
