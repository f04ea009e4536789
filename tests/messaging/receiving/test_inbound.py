"""What comes in becomes rows once, whatever it is, and never takes a neighbour with it."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging.models import Attachment, Contact, Conversation, Message, RawAnswer
from messaging.receiving import inbound
from messaging.replying import services
from sessions_app.database.encryption import decrypt_bytes
from sessions_app.models import Context, Session, Stream
from sessions_app.sessions import leases
from sessions_app.sessions import services as session_services
from tests.messaging.builders import answer, make_session, receive, text_message
from tests.replies import send_reply

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> Session:
    return make_session()


def _texts() -> list[str]:
    return list(Message.objects.order_by("id").values_list("text", flat=True))


def test_a_first_message_makes_contact_thread_context_and_message(session: Session) -> None:
    receive(session, text_message("hello"), cursor="c9")

    conversation = Conversation.objects.get()
    assert conversation.contact_name == "Customer 0001"
    assert (conversation.unread, conversation.last_text, conversation.session_id) == (
        1,
        "hello",
        session.pk,
    )
    assert conversation.closes_at is not None
    assert conversation.closes_at > timezone.now() + timedelta(hours=23)
    assert Session.objects.get().cursor == "c9"
    assert Context.objects.get().token.startswith("token-")


def test_the_same_message_twice_is_stored_once_even_with_another_token(session: Session) -> None:
    first = text_message("hello")
    receive(session, first)
    again = {**first, "context_token": "a newer token"}

    assert receive(session, again) == 0
    assert _texts() == ["hello"]
    assert Context.objects.get().token == "a newer token"


def test_the_same_message_twice_in_one_answer_is_stored_once(session: Session) -> None:
    one = text_message("hello")
    assert receive(session, one, one) == 1


def test_an_older_message_never_replaces_a_newer_token(session: Session) -> None:
    now_ms = int(time.time() * 1000)
    receive(session, text_message("new", create_time_ms=now_ms, context_token="new"))
    receive(session, text_message("old", create_time_ms=now_ms - 60_000, context_token="old"))

    assert Context.objects.get().token == "new"
    assert _texts() == ["new", "old"]


def test_messages_without_an_id_are_known_by_content_and_time(session: Session) -> None:
    plain = text_message("ok", message_id=None, create_time_ms=1_790_000_000_000)
    later = {**plain, "create_time_ms": 1_790_000_001_000}

    assert receive(session, plain) == 1
    assert receive(session, {**plain, "context_token": "other"}) == 0
    assert receive(session, later) == 1


AT_MS = 1_790_000_000_000


def _file(**media: Any) -> dict[str, Any]:
    item = {"file_name": "again.bin", "md5": "0" * 32, "len": "2500", "media": media}
    return {"type": 4, "file_item": item}


def _voice(transcript: str, **media: Any) -> dict[str, Any]:
    return {"type": 3, "voice_item": {"playtime": 1200, "text": transcript, "media": media}}


def _picture(size: int, **media: Any) -> dict[str, Any]:
    return {
        "type": 2,
        "image_item": {"mid_size": size, "url": media.get("full_url"), "media": media},
    }


FIRST_LINK = {"encrypt_query_param": "p1", "full_url": "https://a.weixin.qq.com/1", "aes_key": "k"}
OTHER_LINK = {"encrypt_query_param": "p2", "full_url": "https://b.weixin.qq.com/2", "aes_key": "k"}


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (_file(**FIRST_LINK), _file(**OTHER_LINK)),
        (_voice("", **FIRST_LINK), _voice("hello", **OTHER_LINK)),
        (_picture(900, **FIRST_LINK), _picture(900, **OTHER_LINK)),
        (
            {"type": 1, "text_item": {"text": "ok"}, "update_time_ms": AT_MS},
            {"text_item": {"text": "ok"}, "type": 1, "update_time_ms": AT_MS + 9},
        ),
        (
            {"type": 77, "new_item": {"n": 1, "thumb_url": "x", "access_token": "y"}},
            {"type": 77, "new_item": {"n": 1, "thumb_url": "z", "access_token": "w"}},
        ),
        (
            {
                "type": 1,
                "text_item": {"text": "ok"},
                "ref_msg": {"message_item": _file(**FIRST_LINK)},
            },
            {
                "type": 1,
                "text_item": {"text": "ok"},
                "ref_msg": {"message_item": _file(**OTHER_LINK)},
            },
        ),
    ],
)
@pytest.mark.parametrize("order", [{"seq": 4242, "client_id": "c1"}, {"seq": None}])
def test_a_redelivery_without_an_id_is_known_whatever_its_links(
    session: Session, first: dict[str, Any], again: dict[str, Any], order: dict[str, Any]
) -> None:
    one = text_message("", message_id=None, create_time_ms=AT_MS, item_list=[first], **order)
    two = {**one, "item_list": [again], "update_time_ms": AT_MS + 5, "context_token": "newer"}

    assert receive(session, one, asked_with="c1") == 1
    assert receive(session, two, asked_with="c2") == 0
    assert Context.objects.get().token == "newer"


@pytest.mark.parametrize(
    "change",
    [
        {"create_time_ms": AT_MS + 1},
        {"seq": 4243},
        {"client_id": "c2"},
        {"from_user_id": "tom@im.wechat"},
        {"item_list": [_file(**FIRST_LINK) | {"file_item": {"file_name": "b.bin", "len": "2500"}}]},
    ],
)
def test_without_an_id_another_time_person_order_or_content_is_another_message(
    session: Session, change: dict[str, Any]
) -> None:
    one = text_message(
        "", message_id=None, create_time_ms=AT_MS, seq=4242, client_id="c1",
        item_list=[_file(**FIRST_LINK)],
    )  # fmt: skip
    assert receive(session, one) == 1
    assert receive(session, {**one, **change}) == 1


@pytest.mark.parametrize("quoting", [False, True])
def test_two_messages_with_the_same_words_stay_two(session: Session, quoting: bool) -> None:
    """Both have ids, the same time and the same words; the first may quote something."""
    text = {"type": 1, "text_item": {"text": "twin one"}}
    quote = {"ref_msg": {"message_item": {"type": 1, "text_item": {"text": "what?"}}}}
    first = text_message(
        "", message_id=101, create_time_ms=AT_MS, item_list=[text | quote if quoting else text]
    )
    second = text_message("", message_id=102, create_time_ms=AT_MS, item_list=[text])

    assert receive(session, first, asked_with="c1") == 1
    assert receive(session, second, asked_with="c2") == 1
    assert _texts() == ["twin one", "twin one"]


def test_two_pictures_of_one_moment_in_one_answer_are_two_messages(session: Session) -> None:
    pictures = [
        text_message("", message_id=None, create_time_ms=AT_MS, item_list=[_picture(900, **link)])
        for link in (FIRST_LINK, OTHER_LINK)
    ]
    assert receive(session, *pictures, asked_with="c1") == 2
    assert receive(session, *pictures, asked_with="c2") == 0


def test_messages_without_id_and_time_are_known_by_their_place(session: Session) -> None:
    bare = text_message("ok", message_id=None, create_time_ms=None)

    assert receive(session, bare, bare, asked_with="c1") == 2
    assert receive(session, bare, bare, asked_with="c1") == 0
    assert receive(session, bare, asked_with="c2") == 1


def test_a_new_token_begins_a_new_count_with_what_still_waits(session: Session) -> None:
    receive(session, text_message("hello"))
    conversation = Conversation.objects.get()
    send_reply(user=None, conversation=conversation, text="one", draft_key="1")
    send_reply(user=None, conversation=conversation, text="two", draft_key="2")
    Message.objects.filter(text="one").update(status="sent")

    receive(session, text_message("hello again"))

    assert Context.objects.get().replies_used == 1
    assert Conversation.objects.get().replies_used == 1


def test_the_order_in_one_answer_is_the_order_of_the_thread(session: Session) -> None:
    receive(session, *[text_message(str(number)) for number in range(20)])
    assert _texts() == [str(number) for number in range(20)]


HOSTILE: list[tuple[str, dict[str, Any]]] = [
    ("unknown item type", {"item_list": [{"type": 77, "odd_item": {"x": 1}}]}),
    ("item type 0", {"item_list": [{"type": 0}]}),
    ("several items", {"item_list": [{"type": 1, "text_item": {"text": "a"}}, {"type": 2}]}),
    ("no items", {"item_list": []}),
    ("items missing", {"item_list": None}),
    ("items no list", {"item_list": "text"}),
    ("number where text should be", {"item_list": [{"type": 1, "text_item": {"text": 42}}]}),
    ("text type as a word", {"item_list": [{"type": "1", "text_item": {"text": "a"}}]}),
    ("id over 2**63", {"message_id": 2**70}),
    ("id as a word", {"message_id": "abc"}),
    ("id of 10,000 digits", {"message_id": "9" * 10_000}),
    ("NUL", {"item_list": [{"type": 1, "text_item": {"text": "a\0b"}}]}),
    ("lone surrogate", {"item_list": [{"type": 1, "text_item": {"text": "a\ud800b"}}]}),
    ("surrogate in an id", {"client_id": "\udfff", "context_token": "\ud800"}),
    ("NUL in the sender", {"from_user_id": "li\0na@im.wechat"}),
    ("no token", {"context_token": None}),
    ("no time", {"create_time_ms": None}),
    ("time as text", {"create_time_ms": "soon"}),
    ("time beyond all calendars", {"create_time_ms": 10**30}),
    ("huge sizes", {"item_list": [{"type": 5, "video_item": {"play_length": 10**30}}]}),
    ("a very long sender", {"from_user_id": "x" * 5000}),
    ("a hostile file name", {"item_list": [{"type": 4, "file_item": {"file_name": "a" * 999}}]}),
    ("a group id", {"group_id": "g1"}),
    ("an unknown message type", {"message_type": 9}),
    ("message type as text", {"message_type": "1"}),
]


@pytest.mark.parametrize(
    "changes", [case for _, case in HOSTILE], ids=[name for name, _ in HOSTILE]
)
def test_an_odd_message_is_stored_and_so_are_its_neighbours(
    session: Session, changes: dict[str, Any]
) -> None:
    before, after = text_message("before"), text_message("after")
    receive(session, before, text_message("odd", **changes), after, cursor="next")

    assert Message.objects.count() == 3
    assert {"before", "after"} <= set(_texts())
    assert Session.objects.get().cursor == "next"


@pytest.mark.parametrize("stray", [5, "text", None, True, [1], [], 1.5])
def test_what_is_no_message_is_kept_raw_and_shown(session: Session, stray: Any) -> None:
    receive(session, text_message("before"), stray, text_message("after"))

    assert _texts() == ["before", "after"]
    assert RawAnswer.objects.get().session == session
    assert session.events.filter(kind="stray").count() == 1


def test_a_message_that_names_nobody_is_kept_raw(session: Session) -> None:
    receive(session, text_message("who am I", from_user_id=None), text_message("hello"))

    assert _texts() == ["hello"]
    assert b"who am I" in decrypt_bytes(RawAnswer.objects.get().encrypted_body)


def test_an_unsupported_item_shows_as_a_placeholder(session: Session) -> None:
    receive(session, text_message("", item_list=[{"type": 99, "x": 1}]))

    message = Message.objects.get()
    assert message.kind == "unsupported"
    assert Attachment.objects.get().kind == "unsupported"


def test_tokens_are_never_stored_in_the_clear(session: Session) -> None:
    receive(session, text_message("hello", context_token="SECRET-CONTEXT"))

    message, context = Message.objects.get(), Context.objects.get()
    assert b"SECRET-CONTEXT" not in bytes(message.encrypted_raw)
    assert "SECRET-CONTEXT" not in context.encrypted_token
    assert b"SECRET-CONTEXT" in decrypt_bytes(message.encrypted_raw)


def test_a_poll_in_flight_brings_its_messages_but_cannot_undo_a_logout(session: Session) -> None:
    late = answer(session, [text_message("just before")], cursor="after")
    session_services.log_out(session=session, user=None)

    inbound.store([late])

    session.refresh_from_db()
    assert _texts() == ["just before"]
    assert (session.state, session.cursor, session.encrypted_token) == ("logged_out", "", "")
    assert not Context.objects.exists()


def test_answers_of_many_sessions_go_in_together(session: Session) -> None:
    other = make_session("Repairs")
    stored = inbound.store(
        [answer(session, [text_message("a")]), answer(other, [text_message("b")])]
    )
    assert stored == 2
    assert Conversation.objects.count() == 1


def test_a_persons_name_survives_what_comes_in(session: Session) -> None:
    receive(session, text_message("hello"))
    services.rename_contact(
        contact=Contact.objects.get(), team_id=session.team_id, name="  李娜 ", user=None
    )
    receive(session, text_message("again"))

    assert Conversation.objects.get().contact_name == "李娜"


def test_message_ids_and_versions_come_from_the_streams(session: Session) -> None:
    receive(session, text_message("a"), text_message("b"))
    receive(session, text_message("c"))

    assert list(Message.objects.order_by("id").values_list("id", flat=True)) == [1, 2, 3]
    team_number = Stream.objects.get(key=f"team:{session.team_id}").last_number
    assert Message.objects.get(text="c").version == team_number


def test_our_own_message_that_comes_back_makes_no_second_bubble(session: Session) -> None:
    from messaging.delivering import outbox

    receive(session, text_message("hello"))
    conversation = Conversation.objects.get()
    send_reply(user=None, conversation=conversation, text="hi", draft_key="1")
    leases.register("w1")
    [claim] = outbox.claim_next("w1", limit=5)
    outbox.mark_broken(claim, detail="")
    echo = text_message(
        "hi", message_type=2, to_user_id="lina@im.wechat", client_id=claim.client_id
    )
    receive(session, echo)

    message = Message.objects.get(direction="out")
    assert (message.status, message.holds_queue) == ("sent", False)


def test_what_another_program_answered_is_shown_as_ours(session: Session) -> None:
    receive(session, text_message("hello"))
    receive(session, text_message("from a script", message_type=2, to_user_id="lina@im.wechat"))

    message = Message.objects.get(direction="out")
    assert (message.text, message.status) == ("from a script", "sent")
    assert Conversation.objects.get().unread == 1


def test_a_recall_is_honoured(session: Session) -> None:
    first = text_message("oops")
    receive(session, first)
    receive(session, {**first, "delete_time_ms": int(time.time() * 1000)})

    assert Message.objects.get().recalled_at is not None


def test_who_comes_by_an_invitation_is_filed_under_its_label_once() -> None:
    session = make_session()
    session.label = "fair"
    session.save()
    receive(session, text_message("hello"))
    conversation = Conversation.objects.get()
    assert [label.name for label in conversation.labels.all()] == ["fair"]
    conversation.labels.clear()
    receive(session, text_message("again"))
    assert not conversation.labels.exists()
