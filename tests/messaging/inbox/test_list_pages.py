"""The list as pages show it: its address, its counts, its names, and what it learns later."""

import re

import pytest

from messaging.conversations import work
from messaging.models import Conversation
from sessions_app.models import Session
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.messaging.inbox.test_work_pages import HTMX, as_

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversations(cast: Cast) -> list[Conversation]:
    shop = make_session("Shop A")
    for person in "abcd":
        receive(shop, text_message("hi", sender=f"{person}@im.wechat"), cursor=person)
    return list(Conversation.objects.order_by("pk"))


def test_another_list_comes_alone_and_the_open_conversation_stays_in_the_address(
    cast: Cast, conversations: list[Conversation]
) -> None:
    headers = {**HTMX, "HX-Target": "list-pane", "HX-Current-URL": "http://x/inbox/"}
    client = as_(cast.agent)
    answer = client.get("/inbox/?view=missed", headers=headers)
    page = answer.content.decode()
    assert "HX-Push-Url" not in answer
    assert 'id="list-pane"' in page
    assert 'conversation-pane"' not in page.replace('hx-target="#conversation-pane"', "")
    assert re.search(r'hx-swap-oob="true"', page)
    assert "No missed conversations." in page
    headers["Live-Open"] = str(conversations[0].pk)
    answer = client.get("/inbox/?view=missed", headers=headers)
    assert answer["HX-Push-Url"] == f"/inbox/{conversations[0].pk}/?view=missed"


def test_rows_and_the_next_page_carry_the_list_in_their_addresses(
    cast: Cast, conversations: list[Conversation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.inbox.views.rows.PAGE_ROWS", 2)
    page = as_(cast.agent).get("/inbox/?view=unassigned&sort=newest").content.decode()
    query = "view=unassigned&amp;sort=newest"
    assert f'href="/inbox/{conversations[3].pk}/?{query}"' in page
    more = re.search(r'href="(/inbox/\?[^"]*before=[^"]+)"', page)
    assert more is not None
    following = as_(cast.agent).get(more[1].replace("&amp;", "&")).content.decode()
    found = re.findall(r'id="conversation-(\d+)"', page + following)
    assert found == [str(one.pk) for one in reversed(conversations)]


def test_the_rail_shows_each_views_count(cast: Cast, conversations: list[Conversation]) -> None:
    work.assign(ids=[conversations[0].pk], assignee=cast.agent, user=None)
    page = as_(cast.agent).get("/inbox/?view=mine").content.decode()
    rail = page[page.index('id="rail-views"') : page.index("</ul>", page.index('id="rail-views"'))]
    numbers = dict(re.findall(r'data-view="(\w+)".*?class="count">(\d*)<', rail, re.S))
    assert numbers == {
        "mine": "1", "unassigned": "3", "needs_reply": "4", "not_sent": "", "missed": "",
        "mentions": "", "snoozed": "", "resolved": "", "all": "4",
    }  # fmt: skip
    assert re.search(r'data-view="mine"[^>]*aria-current="page"', rail, re.S)


def test_pages_go_out_compressed_and_the_api_as_it_is(
    cast: Cast, conversations: list[Conversation]
) -> None:
    client, headers = as_(cast.agent), {"accept-encoding": "gzip"}
    page = client.get("/inbox/", headers=headers)
    assert page["Content-Encoding"] == "gzip"
    assert len(page.content) < 20_000
    assert "Content-Encoding" not in client.get("/api/v1/conversations", headers=headers)


def test_an_open_list_learns_that_others_can_be_answered_now(
    cast: Cast, conversations: list[Conversation]
) -> None:
    """Nothing of a conversation changes when its session is signed out; its list does."""
    client = as_(cast.agent)

    def mark(page: str) -> str:
        found = re.search(r'data-mute="(\w*)"', page)
        assert found is not None
        return found[1]

    since = f"{cast.team.stream_key}:{10**9}"
    query = {"since": since, "list": "view=needs_reply"}
    drawn = mark(client.get("/inbox/?view=needs_reply").content.decode())
    assert drawn == mark(client.get("/inbox/changes/", query).content.decode()) != ""
    Session.objects.update(state="expired")
    assert mark(client.get("/inbox/changes/", query).content.decode()) != drawn
    assert mark(client.get("/inbox/?view=all").content.decode()) == ""


@pytest.mark.parametrize("address", ["/inbox/", "/inbox/?view=all", "/inbox/?view=not_sent"])
def test_a_link_of_the_rail_a_heading_and_a_menu_say_one_name_and_one_number(
    cast: Cast, conversations: list[Conversation], address: str
) -> None:
    page = as_(cast.agent).get(address).content.decode()
    heading = re.search(r'<h1 id="list-title">([^<]+)</h1>', page)
    count = re.search(r'id="list-count"[^>]*data-count="(\d+)"', page)
    rail = re.search(
        r'data-view="\w+"[^>]*aria-current="page">.*?class="label">([^<]+)<.*?class="count">(\d*)<',
        page,
        re.S,
    )
    menu = re.search(
        r'class="menu-item"[^>]*aria-current="true">.*?<span>([^<]+)</span><[^>]*>(\d+)<',
        page[page.index("view-menu") :],
        re.S,
    )
    assert heading is not None
    assert count is not None
    assert rail is not None
    assert menu is not None
    assert rail[1] == menu[1] == heading[1]
    assert int(rail[2] or 0) == int(menu[2]) == int(count[1])
    assert heading[1] == ("Not sent" if "not_sent" in address else "Inbox")


def test_one_window_is_said_in_one_form_in_row_head_composer_and_context(
    cast: Cast, conversations: list[Conversation]
) -> None:
    page = as_(cast.agent).get(f"/inbox/{conversations[0].pk}/").content.decode()
    said = re.findall(r'data-form="left">([^<]+)<|data-window-words>([^<]+)<', page)
    assert len(said) == len(conversations) + 3
    assert {one or other for one, other in said} == {"23 h"}
    assert "23 h " not in page
    assert "24 h" not in page
