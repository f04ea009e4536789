"""`/settings/`: who may edit, what is refused in words, in force at once, and who changed what."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from messaging.models import Conversation, Message
from messaging.replying import queries
from sessions_app.models import SettingChange, TeamSettingsRow, User
from sessions_app.team_settings import limits as store
from sessions_app.team_settings.forms import TeamSettingsForm
from sessions_app.team_settings.limits import TeamSettings, change_settings, team_settings
from tests.api.callers import calling
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message

pytestmark = pytest.mark.django_db

PAGE = "/settings/"


@pytest.fixture(autouse=True)
def _read_anew() -> None:
    store.forget()


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def posted(user: User, **changes: Any) -> Any:
    """The form as a browser sends it: every number, and what the page was drawn with."""
    drawn = store.as_values(team_settings())
    data = {name: str(value) for name, value in (drawn | changes).items()}
    data |= {f"initial-{name}": str(value) for name, value in drawn.items()}
    return as_(user).post(PAGE, data)


def test_only_administrators_come_in(cast: Cast) -> None:
    assert as_(cast.administrator).get(PAGE).status_code == 200
    others = ("operator", "supervisor", "agent", "agent_elsewhere", "viewer", "outsider")
    for name in others:
        user = getattr(cast, name)
        assert as_(user).get(PAGE).status_code == 403, name
        assert posted(user, park_days=3).status_code == 403, name
    assert team_settings() == TeamSettings()


def test_the_form_the_row_and_the_settings_name_the_same_numbers() -> None:
    assert store.as_values(TeamSettings()) == {
        name: getattr(TeamSettingsRow(), name) for name in store.NAMES
    }
    form = TeamSettingsForm(current=TeamSettings())
    shown = [field.name for section in form.sections() for field in section.fields]
    assert shown == list(form.fields) == list(store.NAMES)


def test_a_change_is_in_force_at_once_and_says_who_made_it(cast: Cast) -> None:
    assert team_settings().replies_per_token == 10
    answer = posted(cast.administrator, replies_per_token=8, park_days=14)
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    assert (team_settings().replies_per_token, team_settings().park_days) == (8, 14)
    page = " ".join(as_(cast.administrator).get(PAGE).content.decode().split())
    assert "10 → 8" in page
    assert "7 → 14" in page
    made = SettingChange.objects.values_list("who__username", "name", "before", "after")
    assert set(made) == {("ada", "replies_per_token", "10", "8"), ("ada", "park_days", "7", "14")}


@pytest.mark.parametrize("wrong", ["", "x", "-1", "0", "169", "2.5", "9" * 30])
def test_what_is_impossible_is_refused_in_words(cast: Cast, wrong: str) -> None:
    answer = posted(cast.administrator, window_hours=wrong, park_days=3)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "A whole number from 1 to 168." in page
    assert 'aria-invalid="true"' in page
    assert "Not saved." in page
    assert team_settings() == TeamSettings()
    assert not SettingChange.objects.exists()


@pytest.mark.parametrize("name", ["message_days", "media_days"])
@pytest.mark.parametrize("wrong", ["1", "6", "3651", "-1", ""])
def test_nothing_goes_that_may_still_be_answered(cast: Cast, name: str, wrong: str) -> None:
    """The longest reply window is seven days. What is lowered by mistake is gone for good."""
    answer = posted(cast.administrator, **{name: wrong})
    assert answer.status_code == 422
    assert "0 for no limit, or a whole number from 7 to 3,650." in answer.content.decode()
    assert team_settings() == TeamSettings()


def test_how_long_data_is_kept_is_said_as_it_is(cast: Cast) -> None:
    assert b"The oldest message here" not in as_(cast.administrator).get(PAGE).content
    receive(make_session("Shop A"), text_message("hello"))
    Message.objects.update(stored_at=datetime(2020, 1, 2, 12, tzinfo=UTC))
    posted(cast.administrator, message_days=7, media_days=0, raw_days=1)
    now = team_settings()
    assert (now.message_days, now.media_days, now.raw_days) == (7, 0, 1)
    page = " ".join(as_(cast.administrator).get(PAGE).content.decode().split())
    assert "The oldest message here is from" in page
    assert "2020-01-02" in page
    assert "0 → 7" in page


def test_saving_the_same_numbers_changes_nothing(cast: Cast) -> None:
    assert posted(cast.administrator).status_code == 302
    assert not SettingChange.objects.exists()


def test_two_who_edit_different_numbers_do_not_undo_each_other(cast: Cast) -> None:
    drawn = store.as_values(team_settings())
    change_settings(user=cast.administrator, wanted={"park_days": 21})
    data = {name: str(value) for name, value in (drawn | {"pace_count": 9}).items()}
    data |= {f"initial-{name}": str(value) for name, value in drawn.items()}
    as_(cast.administrator).post(PAGE, data)
    assert (team_settings().park_days, team_settings().pace_count) == (21, 9)


def test_the_settings_are_kept_for_seconds_only() -> None:
    assert team_settings(clock=lambda: 100.0).park_days == 7
    TeamSettingsRow.objects.create(pk=1, park_days=30)  # by another process
    assert team_settings(clock=lambda: 102.9).park_days == 7
    assert team_settings(clock=lambda: 103.0).park_days == 30


# In force


def test_other_hours_move_every_threads_closing_time(cast: Cast) -> None:
    receive(make_session("Shop A"), text_message("hello"))
    before = Conversation.objects.get()
    assert before.closes_at is not None
    posted(cast.administrator, window_hours=20)
    after = Conversation.objects.get()
    assert after.closes_at == before.closes_at - timedelta(hours=4)
    assert queries.reply_quota(after, now=timezone.now()).closes_at == after.closes_at


def test_another_number_of_replies_is_what_the_page_and_the_api_count_with(cast: Cast) -> None:
    receive(make_session("Shop A"), text_message("hello"))
    conversation = Conversation.objects.get()
    posted(cast.administrator, replies_per_token=2)
    quota = queries.reply_quota(conversation, now=timezone.now())
    assert (quota.replies_left, quota.replies_limit) == (2, 2)
    assert calling(cast.agent).get(f"/conversations/{conversation.pk}").body["remaining"] == 2


def test_the_apis_limit_is_the_teams(cast: Cast) -> None:
    posted(cast.administrator, api_requests_per_minute=10)
    caller = calling(cast.agent)
    assert {caller.get("/status").status for _ in range(25)} == {200, 429}
