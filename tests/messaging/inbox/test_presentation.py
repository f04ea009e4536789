"""What rows and bubbles say. No database: rows are made, never saved."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation

from messaging.inbox import presentation, row_presentation
from messaging.inbox.list_queries import Beside
from messaging.media import showing
from messaging.models import Contact, Conversation, Message, MessageKind
from messaging.reply_window.window_words import left_words
from messaging.replying.queries import Held, ReplyQuota
from messaging.replying.states import state_of
from sessions_app.models import Session, User
from weilink_site.pages.texts import texts

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
SHOP = Session(pk=1, name="Shop A", colour=0)
WEI = User(pk=7, username="wei", first_name="Wei")


def a_message(number: int = 1, **changes: Any) -> Message:
    values: dict[str, Any] = {
        "id": number,
        "conversation_id": 1,
        "session": SHOP,
        "direction": "out",
        "kind": MessageKind.TEXT,
        "text": "hello",
        "status": "sent",
        "created_at": NOW,
        "sent_by": WEI,
    }
    values.update(changes)
    message = Message(**values)
    message.text_shown, message.quote_shown = message.text, message.quote_text
    message.quoted_shown = message.quote_of.text if message.quote_of else None
    vars(message)["_prefetched_objects_cache"] = {"attachments": []}
    return message


def a_conversation(**changes: Any) -> Conversation:
    values: dict[str, Any] = {
        "id": 1,
        "contact": Contact(pk=1, number=427, colour=0),
        "session": SHOP,
        "last_at": NOW,
        "last_kind": "text",
        "last_text": "hello",
        "last_direction": "in",
        "closes_at": NOW + timedelta(hours=21),
    }
    values.update(changes)
    conversation = Conversation(**values)
    vars(conversation)["_prefetched_objects_cache"] = {"labels": []}
    conversation._state.fields_cache["team_contact"] = None
    return conversation


def chips(**changes: Any) -> list[tuple[str, str]]:
    row = row_presentation.row(a_conversation(**changes), now=NOW)
    return [(chip.words, chip.tone) for chip in row.chips]


def words(**changes: Any) -> str:
    return str(state_of(a_message(**changes), contact_name="李娜").words)


def buttons(**changes: Any) -> list[str]:
    state = state_of(a_message(**changes), contact_name="李娜")
    return [action.words for action in state.actions]


def test_a_preview_shows_wechats_faces() -> None:
    shown = presentation.preview(a_conversation(last_kind="text", last_text="[微笑] ok\n[x]"))
    assert shown == "🙂 ok [x]"


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        ("text", "two\nlines", "two lines"),
        ("image", "image", "Picture"),
        ("image", "look at this", "Picture · look at this"),
        ("voice", "voice 0:07", "Voice 0:07"),
        ("file", "", "File"),
        ("unsupported", "unsupported", "A kind of message that this console can't show yet"),
    ],
)
def test_a_preview_says_the_kind_of_what_is_no_text(kind: str, text: str, shown: str) -> None:
    assert presentation.preview(a_conversation(last_kind=kind, last_text=text)) == shown


def test_a_wide_open_window_is_a_quiet_chip() -> None:
    assert chips() == [("21 h", "")]


def test_under_three_hours_the_window_has_a_ring() -> None:
    chip = row_presentation.window_chip(NOW + timedelta(hours=2, minutes=30), NOW)
    assert (chip.words, chip.tone, chip.share) == ("2 h 30 min", "warn", 10)


def test_under_an_hour_the_window_shows_the_readers_own_clock() -> None:
    with timezone.override(ZoneInfo("Asia/Shanghai")):
        chip = row_presentation.window_chip(NOW + timedelta(minutes=58), NOW)
    assert (chip.words, chip.tone) == ("closes 14:58", "bad")


@pytest.mark.parametrize("closes_at", [None, NOW, NOW - timedelta(minutes=1)])
def test_a_window_that_is_over_is_closed(closes_at: datetime | None) -> None:
    assert chips(closes_at=closes_at, replies_used=9) == [("closed", "")]


@pytest.mark.parametrize(
    ("used", "shown"),
    [(6, []), (7, ["3 replies left"]), (9, ["1 reply left"]), (10, ["0 replies left"])],
)
def test_replies_left_are_counted_from_three_down(used: int, shown: list[str]) -> None:
    assert [text for text, _tone in chips(replies_used=used)][1:] == shown


def test_what_was_not_sent_comes_first() -> None:
    row = row_presentation.row(a_conversation(), now=NOW, beside=Beside(held=Held(not_sent=2)))
    assert (row.chips[0].words, row.chips[0].tone) == ("2 not sent", "bad")


def test_what_may_have_arrived_is_not_called_not_sent() -> None:
    row = row_presentation.row(a_conversation(), now=NOW, beside=Beside(held=Held(not_confirmed=1)))
    assert (row.chips[0].words, row.chips[0].tone) == ("1 not confirmed", "warn")


def test_row_keys_sort_by_time_and_then_by_id() -> None:
    rows = [
        row_presentation.row(a_conversation(id=9, last_at=NOW), now=NOW),
        row_presentation.row(a_conversation(id=10, last_at=NOW), now=NOW),
        row_presentation.row(
            a_conversation(id=1, last_at=NOW + timedelta(microseconds=1)), now=NOW
        ),
    ]
    assert sorted(rows, key=lambda one: one.key) == rows


@pytest.mark.parametrize(
    ("changes", "said", "offered"),
    [
        ({"status": "sent"}, "accepted by WeChat", []),
        ({"status": "queued"}, "waiting to be sent", ["Edit", "Cancel"]),
        ({"status": "sending"}, "sending…", []),
        ({"status": "cancelled"}, "cancelled, not sent", []),
        (
            {"status": "unconfirmed", "error_code": "no_id"},
            "accepted, no receipt: it may not have arrived",
            ["Send again", "It arrived"],
        ),
        (
            {"status": "unconfirmed", "error_code": "no_id", "missing_receipt": True},
            "WeChat accepted it but gave no receipt. It may not have arrived.",
            ["Send again", "It arrived"],
        ),
        (
            {"status": "unconfirmed", "error_code": "line_broken", "holds_queue": True},
            "The connection broke while sending. The reply may have arrived.",
            ["Send again", "It arrived"],
        ),
        (
            {"status": "unconfirmed", "error_code": "worker_lost", "holds_queue": True},
            "The worker stopped while sending. The reply may have arrived.",
            ["Send again", "It arrived"],
        ),
        (
            {"status": "failed", "error_code": "not_reached", "holds_queue": True},
            "not sent: WeChat could not be reached; nothing was sent",
            ["Send again", "Edit", "Discard"],
        ),
        (
            {"status": "failed", "error_code": "text_too_long", "holds_queue": True},
            "not sent: the text is over 16,384 bytes",
            ["Edit", "Discard"],
        ),
        (
            {"status": "queued", "error_code": "pace", "next_try_at": NOW},
            "sends at 06:00 (WeChat's rate limit)",
            ["Send now", "Edit", "Cancel"],
        ),
        ({"status": "sent", "sent_elsewhere": True}, "", []),
        ({"direction": "in", "status": "received"}, "", []),
    ],
)
def test_each_state_is_said_and_offers_its_ways_out(
    changes: dict[str, Any], said: str, offered: list[str]
) -> None:
    assert words(**changes) == said
    assert buttons(**changes) == offered


def test_our_own_limits_can_be_overruled_where_a_reply_failed_by_them() -> None:
    failed = {"status": "failed", "error_code": "window_closed", "holds_queue": True}
    assert buttons(**failed) == ["Send when they write", "Send anyway", "Edit", "Discard"]


def test_a_decided_failure_offers_nothing_more() -> None:
    failed = {"status": "failed", "error_code": "not_reached", "holds_queue": False}
    assert buttons(**failed) == []
    assert words(**failed).endswith("discarded")


def test_sending_again_warns_that_it_may_arrive_twice() -> None:
    broken = a_message(status="unconfirmed", error_code="line_broken", holds_queue=True)
    again = state_of(broken, contact_name="李娜").actions[0]
    assert again.hint == "李娜 may get it twice"


@pytest.mark.parametrize(("usual", "css"), [(True, "is-broken"), (False, "is-quiet")])
def test_a_missing_receipt_is_loud_only_where_receipts_were_usual(usual: bool, css: str) -> None:
    message = a_message(status="unconfirmed", error_code="no_id", missing_receipt=usual)
    state = state_of(message, contact_name="李娜")
    assert (state.tone, state.loud, state.css) == ("", usual, css)
    assert state.actions[0].hint == "李娜 may get it twice"


def test_a_reply_behind_an_undecided_one_says_so_and_leads_there() -> None:
    broken = a_message(3, status="failed", error_code="refused", holds_queue=True)
    messages = [broken, a_message(5, status="queued", release_at=NOW + timedelta(days=9999))]
    made = presentation.bubbles(messages, contact_name="李娜", holders=[2, 3])
    held = made[1].state
    assert held.words == "waits for your decision about the reply above"
    assert (held.jumps_to, [one.words for one in held.actions]) == (3, ["Edit", "Cancel"])
    assert made[0].state.jumps_to is None
    alone = presentation.bubbles(messages, contact_name="李娜")
    assert alone[1].state.words == "sends in"


def test_a_recalled_message_says_so() -> None:
    assert words(direction="in", recalled_at=NOW) == "recalled by the sender"


def test_bubbles_of_one_minute_and_one_sender_belong_together() -> None:
    made = presentation.bubbles(
        [
            a_message(1, direction="in", sent_by=None),
            a_message(2, direction="in", sent_by=None, created_at=NOW + timedelta(seconds=30)),
            a_message(3, created_at=NOW + timedelta(seconds=40)),
            a_message(4, created_at=NOW + timedelta(minutes=1)),
        ],
        contact_name="李娜",
    )
    assert [one.continues for one in made] == [False, True, False, False]
    assert [one.who for one in made] == ["李娜", "李娜", "Wei", "Wei"]


def test_a_day_opens_by_the_readers_midnight() -> None:
    late = datetime(2026, 11, 22, 15, 59, tzinfo=UTC)
    messages = [a_message(1, created_at=late), a_message(2, created_at=late + timedelta(minutes=1))]
    with timezone.override(ZoneInfo("Asia/Shanghai")):
        made = presentation.bubbles(messages, contact_name="李娜")
    assert [one.opens_day for one in made] == [True, True]
    assert [one.day for one in made] == [date(2026, 11, 22), date(2026, 11, 23)]
    in_utc = presentation.bubbles(messages, contact_name="李娜")
    assert [one.opens_day for one in in_utc] == [True, False]


def test_days_are_named_as_people_name_them() -> None:
    today = date(2026, 11, 23)
    assert presentation.day_words(today, today=today) == "Today"
    assert presentation.day_words(date(2026, 11, 22), today=today) == "Yesterday"
    assert presentation.day_words(date(2026, 11, 2), today=today) == "Monday, 2 November"
    assert presentation.day_words(date(2025, 11, 2), today=today) == "Sunday, 2 November 2025"


def test_a_message_of_a_kind_without_attachment_is_still_shown() -> None:
    lines = showing.media_lines(a_message(kind="unsupported", text=""))
    assert [line.words for line in lines] == ["A kind of message that this console can't show yet"]


def test_a_quote_shows_the_text_of_our_own_message_when_the_wire_left_it_out() -> None:
    ours = a_message(1, text="您好")
    made = presentation.bubbles([a_message(2, direction="in", quote_of=ours)], contact_name="李娜")
    assert made[0].quote == presentation.Quote("You", "您好")


def a_quota(code: str, **changes: Any) -> ReplyQuota:
    values: dict[str, Any] = {
        "session": SHOP,
        "usable": not code,
        "code": code,
        "closes_at": NOW,
        "replies_left": 0,
        "replies_limit": 10,
        "offer": ["Repairs"],
    }
    return ReplyQuota(**{**values, **changes})


def test_nothing_stands_in_the_way_of_a_usable_quota() -> None:
    assert presentation.closed(a_quota(""), contact_name="李娜") is None


def test_a_closed_window_says_when_and_what_opens_it() -> None:
    closed = presentation.closed(a_quota("window_closed"), contact_name="李娜")
    assert closed is not None
    assert closed.sentence == (
        "Closed Mon 06:00. WeChat silently drops later replies. You can reply again "
        "when 李娜 writes."
    )
    assert (closed.offer, closed.override) == (["Repairs"], True)


def test_a_session_that_is_signed_out_cannot_be_overruled() -> None:
    closed = presentation.closed(a_quota("session_offline"), contact_name="李娜")
    assert closed is not None
    assert not closed.override
    assert "Shop A" in closed.sentence


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize(
    ("seconds", "said", "key", "parts"),
    [
        (86_399, "23 h", "hours_left", {"hours": 23}),
        (10_800, "3 h", "hours_left", {"hours": 3}),
        (10_799, "2 h 59 min", "hours_minutes", {"hours": 2, "minutes": "59"}),
        (3_660, "1 h 01 min", "hours_minutes", {"hours": 1, "minutes": "01"}),
        (3_599, "59 min", "minutes", {"minutes": 59}),
        (59, "less than a minute", "less_than_minute", {}),
        (0, "closed", "window_closed", {}),
    ],
)
def test_what_is_left_of_a_window_has_one_form_on_the_server_and_in_the_page(
    seconds: int, said: str, key: str, parts: dict[str, Any], language: str
) -> None:
    with translation.override(language):
        words = left_words(timedelta(seconds=seconds))
        assert words == texts()[key].format(**parts)
    assert language != "en" or words == said
