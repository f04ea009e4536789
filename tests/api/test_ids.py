"""Ids of messages stand in commit order: who reads on with `after` misses nothing, ever."""

import threading
from typing import Any

from django.db import connections, transaction

from messaging.models import Conversation, Message
from sessions_app.models import Team
from sessions_app.people.roles import Role
from tests.api.callers import Caller, token_of
from tests.conftest import make_user
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply

WRITERS = 4
ROUNDS = 12


def test_readers_on_the_way_see_every_message_once_in_growing_order(seeded: Team) -> None:
    agent = make_user("wei", Role.AGENT, seeded)
    sessions = [make_session(f"Shop {n}") for n in range(WRITERS)]
    for number, session in enumerate(sessions):
        receive(session, text_message("first", sender=f"p{number}@im.wechat"))
    secret, done = token_of(agent), threading.Event()
    problems: list[BaseException] = []

    def guarded(work: Any, *args: Any) -> threading.Thread:
        def run() -> None:
            try:
                work(*args)
            except BaseException as problem:
                problems.append(problem)
            finally:
                connections.close_all()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def write(number: int) -> None:
        thread = Conversation.objects.get(contact__user_id=f"p{number}@im.wechat")
        for turn in range(ROUNDS):
            text = text_message(f"{number}/{turn}", sender=f"p{number}@im.wechat")
            receive(sessions[number], text, cursor=f"c{turn}")
            send_reply(user=agent, conversation=thread, text="r", draft_key="", override=True)

    seen: dict[int, list[int]] = {0: [], 1: []}

    def read(reader: int) -> None:
        caller, last, finished = Caller(secret), "", False
        while True:
            page = caller.get("/messages", after=last, limit=1 + reader * 6).body
            seen[reader] += [int(one["id"]) for one in page["items"]]
            last = page["last_id"]
            if not page["items"]:
                if finished:
                    return
                finished = done.is_set()

    readers = [guarded(read, number) for number in range(2)]
    writers = [guarded(write, number) for number in range(WRITERS)]
    for one in writers:
        one.join(60)
    done.set()
    for one in readers:
        one.join(60)
    assert not problems
    stored = list(Message.objects.order_by("id").values_list("id", flat=True))
    assert len(stored) == WRITERS * (1 + 2 * ROUNDS)
    assert seen == {0: stored, 1: stored}


def test_an_id_that_was_rolled_back_leaves_the_rest_in_order(seeded: Team) -> None:
    agent = make_user("wei", Role.AGENT, seeded)
    session = make_session()
    receive(session, text_message("one"))
    first = Message.objects.get().pk
    with transaction.atomic():
        receive(session, text_message("never"))
        transaction.set_rollback(True)
    receive(session, text_message("two"))
    caller = Caller(token_of(agent))
    texts = [one["text"] for one in caller.get("/messages").body["items"]]
    assert texts == ["one", "two"]
    fresh = caller.get("/messages", after=str(first)).body["items"]
    assert [one["text"] for one in fresh] == ["two"]
    # The same row keeps its id for good.
    again = caller.get("/messages").body["items"]
    assert [one["id"] for one in again] == [str(first), fresh[0]["id"]]
