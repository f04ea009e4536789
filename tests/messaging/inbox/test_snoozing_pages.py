"""The snooze dialog: what outlasts the reply window, and the hours that come twice or never."""

import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from messaging.models import Conversation
from sessions_app.models import User
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message


@pytest.fixture
def conversations(cast: Cast) -> list[Conversation]:
    shop = make_session("Shop A")
    for person in "abcd":
        receive(shop, text_message("hi", sender=f"{person}@im.wechat"), cursor=person)
    return list(Conversation.objects.order_by("pk"))


def post(user: User, act: str, data: dict[str, Any]) -> Any:
    client = Client()
    client.force_login(user)
    return client.post(f"/inbox/work/{act}/", data, headers={"HX-Request": "true"})


def single(conversation: Conversation, **data: Any) -> dict[str, Any]:
    return {"ids": [conversation.pk], "single": "1", **data}


def test_snoozing_past_the_reply_window_is_warned_of_and_asked_for_once_more(
    cast: Cast, conversations: list[Conversation]
) -> None:
    User.objects.update(time_zone="Europe/Berlin")
    closes = (timezone.now() + timedelta(days=2)).replace(hour=12, minute=32)
    Conversation.objects.filter(pk=conversations[0].pk).update(closes_at=closes)
    until = (closes + timedelta(hours=20)).isoformat()
    day = (closes + timedelta(hours=20)).date().isoformat()
    shown = closes.astimezone(ZoneInfo("Europe/Berlin"))
    warning = f"fter the reply window closes at {shown:%a %H:%M}; replies may be dropped"
    for choice in ({"until": until}, {"until": "at", "at": f"{day}T09:00"}):
        page = post(cast.agent, "snooze", single(conversations[0], **choice)).content.decode()
        assert warning in page
        assert 'name="sure"' in page
        assert Conversation.objects.get(pk=conversations[0].pk).status == "open"
    again = re.search(r'name="until" value="([^"]+)"', page)
    assert again is not None
    post(cast.agent, "snooze", single(conversations[0], until=again[1], sure="1"))
    assert Conversation.objects.get(pk=conversations[0].pk).status == "snoozed"
    early = (closes - timedelta(hours=20)).isoformat()
    done = post(cast.agent, "snooze", single(conversations[0], until=early))
    assert "1 conversation snoozed" in done["HX-Trigger"]


def test_each_time_offered_past_a_window_says_so_and_of_several_how_many(
    cast: Cast, conversations: list[Conversation]
) -> None:
    now = timezone.now()
    Conversation.objects.update(closes_at=now + timedelta(minutes=30))
    page = post(cast.agent, "snooze", single(conversations[0])).content.decode()
    choices = page.count('name="until"') - 1  # the field for another time
    assert page.count("after the reply window closes at") == choices
    Conversation.objects.filter(pk=conversations[0].pk).update(closes_at=now + timedelta(hours=2))
    Conversation.objects.filter(pk=conversations[1].pk).update(closes_at=now - timedelta(hours=2))
    form = {"ids": [one.pk for one in conversations[:3]]}
    page = post(cast.agent, "snooze", form).content.decode()
    assert "window of 1 of 3 conversations" in page  # one hour
    assert "windows of 2 of 3 conversations" in page
    Conversation.objects.update(closes_at=now - timedelta(hours=2))
    assert "window" not in post(cast.agent, "snooze", form).content.decode()


def test_a_time_that_comes_twice_is_asked_for(
    cast: Cast, conversations: list[Conversation]
) -> None:
    User.objects.update(time_zone="Europe/Berlin")
    Conversation.objects.update(closes_at=None)
    twice = single(conversations[0], until="at", at="2027-10-31T02:30")
    page = post(cast.agent, "snooze", twice).content.decode()
    assert "The clocks go back that night: 02:30 comes twice." in page
    assert re.findall(r'name="until" value="([^"]+)"', page) == [
        "2027-10-31T00:30:00+00:00",
        "2027-10-31T01:30:00+00:00",
    ]
    skipped = single(conversations[0], until="at", at="2027-03-28T02:30")
    page = post(cast.agent, "snooze", skipped).content.decode()
    assert "there is no 02:30." in page
    assert re.findall(r'name="until" value="([^"]+)"', page) == ["2027-03-28T01:30:00+00:00"]
