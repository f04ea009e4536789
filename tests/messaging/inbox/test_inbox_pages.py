"""The inbox, a thread, replies and decisions, before the whole cast."""

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from messaging.inbox import list_queries
from messaging.inbox.views import panes
from messaging.models import Conversation, Message
from sessions_app.models import Session, User
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def shop(cast: Cast) -> Session:
    return make_session("Shop A")


@pytest.fixture
def conversation(shop: Session) -> Conversation:
    receive(shop, text_message("我的包裹在哪里？"))
    return Conversation.objects.get()


# Who may see what


def test_readers_see_the_inbox_and_nobody_else_does(cast: Cast, conversation: Conversation) -> None:
    pages = ["/inbox/", f"/inbox/{conversation.pk}/", f"/inbox/changes/?open={conversation.pk}"]
    for page in pages:
        for user in (cast.administrator, cast.supervisor, cast.agent, cast.viewer):
            assert as_(user).get(page).status_code == 200, (user, page)
        for user in (cast.operator, cast.outsider):
            assert as_(user).get(page).status_code == 403, (user, page)


def test_conversations_of_another_team_do_not_exist(cast: Cast, conversation: Conversation) -> None:
    client, message = as_(cast.agent_elsewhere), Message.objects.get()
    assert "我的包裹" not in client.get("/inbox/").content.decode()
    assert client.get(f"/inbox/{conversation.pk}/").status_code == 404
    changes = client.get("/inbox/changes/", {"open": str(conversation.pk), "since": "team:1:0"})
    assert "我的包裹" not in changes.content.decode()
    for page in ("reply", "read", "name"):
        assert client.post(f"/inbox/{conversation.pk}/{page}/").status_code == 404
    for page in ("retry", "send-anyway", "discard", "arrived", "cancel"):
        assert client.post(f"/inbox/messages/{message.pk}/{page}/").status_code == 404


def test_a_viewer_reads_without_controls_and_is_refused_what_has_none(
    cast: Cast, conversation: Conversation
) -> None:
    page = as_(cast.viewer).get(f"/inbox/{conversation.pk}/").content.decode()
    for words in ("Send as Shop", "Rename", "data-composer", "data-read-url"):
        assert words not in page
    assert "You can read this conversation" in page
    for name in ("reply", "read", "name"):
        answer = as_(cast.viewer).post(f"/inbox/{conversation.pk}/{name}/", {"text": "x"})
        assert answer.status_code == 403
    assert Message.objects.filter(direction="out").count() == 0


# The list


def test_a_row_shows_who_wrote_what_and_what_is_left(
    cast: Cast, conversation: Conversation
) -> None:
    page = as_(cast.agent).get("/inbox/").content.decode()
    row = page[page.index(f'id="conversation-{conversation.pk}"') :]
    row = " ".join(re.sub(r"<[^>]+>", " ", row[: row.index("</li>")]).split())
    assert "Customer 0001" in row
    assert "我的包裹在哪里？" in row
    assert "1 unread" in row
    assert "Shop A" in row
    assert "23 h" in row
    assert "(1) Inbox · WeiLink" in page


def test_the_list_goes_on_by_its_cursor_without_javascript(cast: Cast, shop: Session) -> None:
    senders = [f"p{number:03d}@im.wechat" for number in range(28)]
    for sender in senders:
        receive(shop, text_message(f"from {sender}", sender=sender))
    client = as_(cast.agent)
    first = client.get("/inbox/").content.decode()
    cursor = re.search(r'href="/inbox/(\?before=[^"]+)"', first)
    assert cursor is not None
    second = client.get("/inbox/" + cursor[1]).content.decode()
    found = re.findall(r'id="conversation-(\d+)"', first + second)
    assert len(found) == len(set(found)) == 28
    assert "Load more" not in second


def test_an_empty_inbox_says_what_comes_first(cast: Cast) -> None:
    """Who may add a session gets the way to it, everybody else whom to ask."""
    page = as_(cast.administrator).get("/inbox/").content.decode()
    assert "No WeChat account is connected yet" in page
    assert 'href="/sessions/-/add/"' in page
    page = as_(cast.agent).get("/inbox/").content.decode()
    assert "An operator can add the first one." in page
    assert 'href="/sessions/-/add/"' not in page
    make_session("Shop A")
    page = as_(cast.administrator).get("/inbox/").content.decode()
    assert "No messages yet." in page
    assert 'href="/sessions/-/add/"' not in page


def test_the_inbox_asks_the_same_number_of_queries_for_any_number_of_rows(
    cast: Cast, shop: Session, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = as_(cast.agent)
    for number in range(3):
        receive(shop, text_message("hello", sender=f"p{number}@im.wechat"))
    with django_assert_num_queries(15):
        client.get("/inbox/")
    for number in range(3, 20):
        receive(shop, text_message("hello", sender=f"p{number}@im.wechat"))
    with django_assert_num_queries(15):
        client.get("/inbox/")


def test_a_thread_asks_the_same_number_of_queries_for_any_number_of_messages(
    cast: Cast, shop: Session, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = as_(cast.agent)
    receive(shop, *[text_message(f"m{number}") for number in range(40)])
    page = f"/inbox/{Conversation.objects.get().pk}/"
    with django_assert_max_num_queries(26):
        answer = client.get(page)
    assert answer.content.decode().count('id="message-') == 40


# The thread


def test_a_thread_shows_its_bubbles_and_days(cast: Cast, conversation: Conversation) -> None:
    page = as_(cast.agent).get(f"/inbox/{conversation.pk}/").content.decode()
    message = Message.objects.get()
    assert f'id="message-{message.pk}"' in page
    assert "Today" in page
    assert "Send as Shop A" in page
    assert "about 10 of 10 replies left" in page


def test_what_people_write_is_text_and_never_markup(cast: Cast, shop: Session) -> None:
    receive(shop, text_message('<script>alert(1)</script><img src="x">'))
    page = as_(cast.agent).get(f"/inbox/{Conversation.objects.get().pk}/").content.decode()
    assert "<script>alert" not in page
    assert '<img src="x">' not in page


def test_a_row_opens_its_pane_alone(cast: Cast, conversation: Conversation) -> None:
    headers = {**HTMX, "HX-Target": "conversation-pane"}
    page = as_(cast.agent).get(f"/inbox/{conversation.pk}/", headers=headers).content.decode()
    assert 'id="open-conversation"' in page
    assert "data-streams" in page
    assert "conversation-rows" not in page


def test_older_messages_come_page_by_page(cast: Cast, shop: Session) -> None:
    receive(shop, *[text_message(f"m{number}") for number in range(60)])
    client, page = as_(cast.agent), f"/inbox/{Conversation.objects.get().pk}/"
    newest = client.get(page).content.decode()
    before = re.search(r'href="(\?before=\d+)"', newest)
    assert before is not None
    older = client.get(page + before[1], headers=HTMX).content.decode()
    shown = re.findall(r'id="message-(\d+)"', older + newest)
    assert len(shown) == len(set(shown)) == 60
    assert "Earlier messages" not in older


@pytest.mark.parametrize("query", ["before=x", "before=²", "before=" + "9" * 30, "around=-1"])
def test_nonsense_in_the_address_breaks_nothing(
    cast: Cast, conversation: Conversation, query: str
) -> None:
    assert as_(cast.agent).get(f"/inbox/{conversation.pk}/?{query}").status_code == 200
    assert as_(cast.agent).get(f"/inbox/?{query}").status_code == 200


# What changed


def test_changes_bring_only_what_came_after_the_numbers(
    cast: Cast, conversation: Conversation
) -> None:
    client, key = as_(cast.agent), cast.team.stream_key
    first = Message.objects.get()
    page = client.get(
        "/inbox/changes/", {"since": f"{key}:0", "open": str(conversation.pk)}
    ).content.decode()
    assert f'id="message-{first.pk}"' in page
    numbers = re.search(r'data-streams="([^"]+)"', page)
    assert numbers is not None
    receive(conversation.session or make_session("x"), text_message("second"), cursor="c2")
    page = client.get(
        "/inbox/changes/", {"since": str(numbers[1]), "open": str(conversation.pk)}
    ).content.decode()
    assert "second" in page
    assert f'id="message-{first.pk}"' not in page
    assert f'id="conversation-{conversation.pk}"' in page


def test_the_numbers_of_an_answer_are_older_than_its_rows_never_younger(
    cast: Cast, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What commits between the numbers and the rows is shown now and asked for once more."""
    real, shop = list_queries.list_news, conversation.session
    assert shop is not None

    def late(*args: Any, **kwargs: Any) -> list_queries.ListNews:
        receive(shop, text_message("in between"), cursor="c9")
        return real(*args, **kwargs)

    key = cast.team.stream_key
    monkeypatch.setattr(list_queries, "list_news", late)
    page = as_(cast.agent).get("/inbox/changes/", {"since": f"{key}:0"}).content.decode()
    assert "in between" in page
    answered = re.search(rf"{key}:(\d+)", page)
    assert answered is not None
    conversation.refresh_from_db()
    assert int(answered[1]) < conversation.version


def test_a_list_that_is_far_behind_is_told_to_be_read_anew(
    cast: Cast, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.inbox.views.rows.MOST_NEWS", 1)
    key = cast.team.stream_key
    page = as_(cast.agent).get("/inbox/changes/", {"since": f"{key}:0"}).content.decode()
    assert "data-stale-list" in page
    assert "data-reload" not in page


def test_an_open_conversation_that_is_gone_is_said(cast: Cast, conversation: Conversation) -> None:
    page = as_(cast.agent).get("/inbox/changes/", {"since": "team:1:0", "open": "999"})
    assert b'data-gone="999"' in page.content


# The person


def test_a_person_is_renamed_in_place_and_everywhere(
    cast: Cast, conversation: Conversation
) -> None:
    client, page = as_(cast.agent), f"/inbox/{conversation.pk}/name/?slot=head"
    assert b'name="name"' in client.get(page, headers=HTMX).content
    answer = client.post(
        page, {"name": " 李娜 "}, headers={**HTMX, "Live-Open": str(conversation.pk)}
    ).content.decode()
    assert 'id="name-head"' in answer
    assert 'aria-label="Rename 李娜"' in answer
    assert "李娜" in client.get("/inbox/").content.decode()
    too_long = client.post(page, {"name": "x" * 81}, headers=HTMX)
    assert too_long.status_code == 422


def test_reading_sets_the_count_to_nothing_and_never_back(
    cast: Cast, conversation: Conversation
) -> None:
    client, page, last = (
        as_(cast.agent),
        f"/inbox/{conversation.pk}/read/",
        Message.objects.get().pk,
    )
    assert client.post(page, {"up_to": "nonsense"}).status_code == 204
    assert client.post(page, {"up_to": last}).status_code == 204
    conversation.refresh_from_db()
    assert (conversation.unread, conversation.read_up_to) == (0, last)
    client.post(page, {"up_to": 0})
    conversation.refresh_from_db()
    assert conversation.read_up_to == last


def test_a_cursor_before_all_time_is_no_error(cast: Cast, client: Client) -> None:
    client.force_login(cast.agent)
    for moment in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        assert client.get("/inbox/", {"before": f"{moment}~1"}).status_code == 200


def test_more_messages_than_fit_into_one_answer_reload_the_page(
    cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panes, "MOST_MESSAGES", 5)
    session = make_session("Shop A")
    receive(session, text_message("first", sender="p@im.wechat"))
    conversation = Conversation.objects.get()
    client.force_login(cast.agent)

    def reloads(count: int) -> bool:
        conversation.refresh_from_db()
        since = f"{conversation.team.stream_key}:{conversation.version}"
        many = [text_message(str(number), sender="p@im.wechat") for number in range(count)]
        receive(session, *many, cursor=f"after {count}")
        answer = client.get("/inbox/changes/", {"since": since, "open": str(conversation.pk)})
        return "data-reload" in answer.content.decode()

    assert not reloads(4)
    assert reloads(6)
