"""A database, or a backup of it, holds nothing that signs anybody in."""

from importlib import import_module

import pytest
from django.apps import apps
from django.conf import settings
from django.test import Client

from sessions_app.database.browser_keys import SessionStore, digest_of
from sessions_app.models import SignedInBrowser
from tests.conftest import Cast


def _signed_in(client: Client) -> bool:
    return client.get("/inbox/").status_code == 200


def test_what_stands_in_the_database_is_no_key(client: Client, cast: Cast) -> None:
    client.force_login(cast.agent)
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert _signed_in(client)
    [row] = SignedInBrowser.objects.all()
    assert row.session_key == digest_of(key) != key
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = row.session_key
    assert not _signed_in(thief)
    assert key not in row.session_data


def test_signing_out_ends_the_row_too(client: Client, cast: Cast) -> None:
    client.force_login(cast.agent)
    stolen = client.cookies[settings.SESSION_COOKIE_NAME].value
    client.post("/accounts/logout/")
    assert not SignedInBrowser.objects.exists()
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = stolen
    assert not _signed_in(thief)


def test_a_new_key_keeps_what_was_stored_and_ends_the_old_one(db: None) -> None:
    store = SessionStore()
    store["cart"] = 1
    store.save()
    old = store.session_key
    store.cycle_key()
    store.save()
    assert SessionStore(store.session_key)["cart"] == 1
    assert SessionStore(old).load() == {}
    assert store.exists(store.session_key)
    assert not store.exists(old)


@pytest.mark.django_db(transaction=True)
async def test_the_same_without_blocking() -> None:
    store = SessionStore()
    await store.aset("cart", 1)
    await store.asave()
    key = store.session_key
    assert await SessionStore(key).aget("cart") == 1
    assert await store.aexists(key)
    await store.adelete()
    assert not await store.aexists(key)


def test_who_is_signed_in_stays_so_over_the_upgrade(client: Client, cast: Cast) -> None:
    """From Django's table, under the key itself, to digests there, to the table of ours."""
    client.force_login(cast.agent)
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    [row] = SignedInBrowser.objects.all()
    earlier = apps.get_model("sessions", "Session").objects
    earlier.create(session_key=key, session_data=row.session_data, expire_date=row.expire_date)
    earlier.create(session_key="of nobody", session_data="", expire_date=row.expire_date)
    row.delete()
    assert not _signed_in(client)
    for name, step in (
        ("0016_digests_of_browser_keys", "keep_digests"),
        ("0021_move_sign_ins", "move"),
    ):
        migration = import_module(f"sessions_app.migrations.{name}")
        getattr(migration, step)(apps, None)
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    assert _signed_in(client)
    [moved] = SignedInBrowser.objects.all()
    assert (moved.user_id, moved.session_key) == (cast.agent.pk, digest_of(key))
    assert not earlier.exists()
