"""What the palette finds by name, and for whom."""

import re

import pytest
from django.test import Client

from messaging.conversations.finding import ways_to_type
from messaging.models import Contact
from messaging.replying import services
from sessions_app.models import User
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message

pytestmark = pytest.mark.django_db


def found(user: User, words: str) -> list[str]:
    client = Client()
    client.force_login(user)
    answer = client.get("/palette/", {"q": words})
    assert answer.status_code == 200
    return re.findall(r'data-label="([^"]*)"', answer.content.decode())


@pytest.fixture(autouse=True)
def shop(cast: Cast) -> None:
    session = make_session("Shop 小店")
    for name in ("李娜", "Tom Baker", "李雷", "王师傅", ""):
        receive(session, text_message("hello", sender=f"{name or 'x'}@im.wechat"))
        contact = Contact.objects.get(user_id=f"{name or 'x'}@im.wechat")
        services.rename_contact(contact=contact, team_id=cast.team.pk, name=name, user=None)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("李", ["李雷", "李娜"]), ("tom", ["Tom Baker"]), ("ln", ["李娜"]), ("lina", ["李娜"]),
        ("LL", ["李雷"]), ("wangsh", ["王师傅"]), ("baker t", ["Tom Baker"]),
        ("customer 0005", ["Customer 0005"]), ("wechat", []), ("", []),
        ("5", ["Customer 0005"]),
    ],
)  # fmt: skip
def test_people_are_found_by_name_pinyin_and_number(
    cast: Cast, words: str, names: list[str]
) -> None:
    assert found(cast.agent, words) == names


def test_sessions_are_found_by_those_who_see_the_board(cast: Cast) -> None:
    assert found(cast.operator, "小店") == ["Shop 小店"]
    assert found(cast.operator, "李") == []
    assert found(cast.supervisor, "o") == ["Tom Baker", "Shop 小店"]
    assert found(cast.agent, "小店") == []


def test_other_teams_and_strangers_find_nothing(cast: Cast) -> None:
    for user in (cast.agent_elsewhere, cast.outsider):
        assert found(user, "李") == []
        assert found(user, "小店") == []
    assert Client().get("/palette/", {"q": "李"}).status_code == 302


def test_names_in_letters_have_no_pinyin() -> None:
    assert ways_to_type("Tom Baker") == ()
    assert ways_to_type("李娜 VIP") == ("ln VIP".lower(), "lina vip")


def test_odd_words_are_no_error(cast: Cast) -> None:
    for words in ("%", "_", "\\", "a\0b", "x" * 500, "９" * 12, "1" * 30):
        assert found(cast.agent, words) == []
