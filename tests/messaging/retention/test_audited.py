"""The audit log says who took or deleted all data of a customer, by a number that says nothing."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from messaging.models import Contact, Conversation
from sessions_app.recording.actions import Action
from sessions_app.recording.origin import coming_from, of_command
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.sessions_app.audit.log import entries, only

pytestmark = pytest.mark.django_db

LINA = "lina@im.wechat"


@pytest.fixture
def client(cast: Cast) -> Client:
    receive(make_session("Shop A", team=cast.team), text_message("hello"))
    found = Client()
    found.force_login(cast.administrator)
    return found


def test_who_downloads_all_data(client: Client, cast: Cast) -> None:
    contact = Contact.objects.get()
    client.get(f"/inbox/{Conversation.objects.get().pk}/export/")
    entry = only(Action.CUSTOMER_EXPORTED)
    assert (entry.actor_id, entry.object_id) == (cast.administrator.pk, str(contact.pk))
    assert LINA not in f"{entry.object_name}{entry.details}"


def test_who_exports_by_command(client: Client, tmp_path: Path) -> None:
    with coming_from(of_command()):
        call_command("export", "--person", LINA, str(tmp_path / "all.zip"))
    assert only(Action.CUSTOMER_EXPORTED).door == "command"


def test_who_forgets_a_person(client: Client, cast: Cast) -> None:
    contact, page = Contact.objects.get(), f"/inbox/{Conversation.objects.get().pk}/forget/"
    client.post(page, {"sure": "1"})
    assert entries(Action.CUSTOMER_FORGOTTEN) == []
    client.post(page, {"sure": "2"})
    entry = only(Action.CUSTOMER_FORGOTTEN)
    assert (entry.actor_id, entry.object_id) == (cast.administrator.pk, str(contact.pk))
    assert LINA not in f"{entry.object_name}{entry.details}"
