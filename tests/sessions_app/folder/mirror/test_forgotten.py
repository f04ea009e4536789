"""Forgotten people leave the contexts files, and stay out of them."""

import pytest

from sessions_app.folder.store import StoredContext
from sessions_app.models import Context
from tests.sessions_app.folder.mirror.conftest import NOW_S, Site

pytestmark = pytest.mark.django_db(transaction=True)

LINA, BO = "lina@im.wechat", "bo@im.wechat"


def _entry(received_at_s: float = NOW_S) -> StoredContext:
    return StoredContext(token=f"token-{received_at_s}", received_at_s=received_at_s)


@pytest.fixture
def known(site: Site) -> Site:
    site.program_logs_in("shop")
    for person in (LINA, BO):
        site.program_writes("shop", person, _entry())
    site.sweep()
    assert set(site.program.read_contexts("shop")) == {LINA, BO}
    return site


def test_who_is_forgotten_leaves_the_file_and_others_stay(known: Site) -> None:
    Context.objects.filter(user_id=LINA).delete()
    known.conversations.forgotten[LINA] = NOW_S + 5
    known.sweep()
    assert set(known.program.read_contexts("shop")) == {BO}
    assert not Context.objects.filter(user_id=LINA).exists()


def test_a_program_that_writes_the_entry_back_brings_nothing_back(known: Site) -> None:
    Context.objects.filter(user_id=LINA).delete()
    known.conversations.forgotten[LINA] = NOW_S + 5
    known.sweep()
    known.program_writes("shop", LINA, _entry())
    known.sweep()
    assert set(known.program.read_contexts("shop")) == {BO}
    assert not Context.objects.filter(user_id=LINA).exists()


def test_a_restart_finds_who_was_forgotten_meanwhile(known: Site) -> None:
    Context.objects.filter(user_id=LINA).delete()
    known.conversations.forgotten[LINA] = NOW_S + 5
    known.mirror = known.start()
    known.sweep()
    assert set(known.program.read_contexts("shop")) == {BO}


def test_who_writes_again_later_is_a_new_person(known: Site) -> None:
    Context.objects.filter(user_id=LINA).delete()
    known.conversations.forgotten[LINA] = NOW_S + 5
    known.program_writes("shop", LINA, _entry(NOW_S + 60))
    known.sweep()
    assert set(known.program.read_contexts("shop")) == {LINA, BO}
    assert Context.objects.filter(user_id=LINA).exists()
