"""What the worker does by the clock alone, and what it lets the database learn."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from messaging.models import Conversation
from messaging.worker import analyze, due
from tests.conftest import Cast, Running, in_thread, until
from tests.messaging.builders import make_session, receive, text_message


def _asleep() -> None:
    receive(make_session("Shop A"), text_message("hello"))
    past = timezone.now() - timedelta(seconds=1)
    Conversation.objects.update(status="snoozed", snoozed_until=past)


@pytest.mark.django_db(transaction=True)
async def test_the_worker_wakes_what_is_due(running: Running) -> None:
    await in_thread(_asleep)()
    await until(lambda: Conversation.objects.get().status == "open", "it is awake")


@pytest.mark.django_db
def test_a_bounded_number_is_done_at_once_and_the_rest_the_next_time(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due, "AT_ONCE", 2)
    shop = make_session("Shop A")
    for person in "abc":
        receive(shop, text_message("hi", sender=f"{person}@im.wechat"), cursor=person)
    over = timezone.now() + timedelta(hours=25)
    assert [due.look(over) for _ in range(3)] == [2, 1, 0]
    assert Conversation.objects.filter(missed_at=None).count() == 0


@pytest.mark.django_db
def test_sqlite_learns_how_large_a_team_is(cast: Cast) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL learns by itself")
    shop = make_session("Shop A")
    for number in range(30):
        receive(shop, text_message("hi", sender=f"p{number}@im.wechat"), cursor=str(number))
    analyze.learn_sizes()
    with connection.cursor() as cursor:
        cursor.execute("SELECT stat FROM sqlite_stat1 WHERE idx = 'conversation_newest'")
        assert cursor.fetchone()[0].split()[:2] == ["30", "30"]
