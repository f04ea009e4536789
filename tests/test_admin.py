"""Django admin: every model is there, found and filtered; secrets never leave it."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from messaging.conversations import undo_notes, work
from messaging.delivering import outbox
from messaging.models import (
    Conversation,
    Departure,
    Draft,
    EventCode,
    Label,
    Mention,
    Message,
    ParkedReply,
    PostedKey,
    Typing,
    Upload,
)
from sessions_app.invitations import invitations
from sessions_app.links import scan_links
from sessions_app.login import attempts
from sessions_app.models import SharedFolder
from sessions_app.people.tokens import issue_token
from sessions_app.sessions import leases, quarters
from sessions_app.team_settings.limits import change_settings
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply

pytestmark = pytest.mark.django_db

OURS = [
    model
    for label in ("sessions_app", "messaging")
    for model in apps.get_app_config(label).get_models()
    if not model._meta.auto_created
]


@pytest.fixture
def admin_client(cast: Cast) -> Client:
    cast.administrator.is_staff = cast.administrator.is_superuser = True
    cast.administrator.save()
    client = Client()
    client.force_login(cast.administrator)
    session = make_session()
    message = text_message("hello", context_token="SECRET-CONTEXT")
    message["item_list"].append({"type": 2, "image_item": {"aeskey": "SECRETKEY" * 3}})
    receive(session, message, 5)
    conversation = Conversation.objects.get()
    send_reply(user=cast.agent, conversation=conversation, text="hi", draft_key="1")
    leases.register("w1")
    outbox.claim_next("w1", limit=1)
    attempts.start_login(user=cast.operator, session_name="New", team=cast.team)
    scan_links.make_link(user=cast.operator, team=cast.team, session_name="New")
    invitation = invitations.make_invitation(
        user=cast.operator, team=cast.team, prefix="Fair", label="fair", per_hour=9, in_all=9
    )
    invitations.enter(invitation, None)
    SharedFolder.objects.create(pk=1, path="/srv/weilink")
    quarters.note_heard([session.pk], timezone.now())
    PostedKey.objects.create(owner=cast.agent, key="k1", digest="d")
    Label.objects.create(team=cast.team, name="VIP")
    action = undo_notes.begin(user=cast.agent, code=EventCode.ASSIGNED)
    work.assign(ids=[conversation.pk], assignee=cast.agent, user=cast.agent, action=action)
    Departure.objects.create(team=cast.other_team, conversation=conversation)
    Upload.objects.create(owner=cast.agent, kind="file", file_name="1.pdf")
    issue_token(owner=cast.agent, name="script")
    now, note = timezone.now(), Message.objects.earliest("id")
    Draft.objects.create(conversation=conversation, user=cast.agent, key="d1", text="so far")
    Mention.objects.create(conversation=conversation, user=cast.agent, message=note)
    ParkedReply.objects.create(
        conversation=conversation, by=cast.agent, text="later", expires_at=now
    )
    Typing.objects.create(conversation=conversation, session=session, wanted_until=now)
    change_settings(user=cast.administrator, wanted={"park_days": 9})
    return client


def _url(model: type[Model], page: str) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/{page}"


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_model_is_searchable_and_opens_without_secrets(
    admin_client: Client, model: type[Model]
) -> None:
    registered = admin.site._registry[model]
    assert registered.search_fields
    found = admin_client.get(_url(model, ""), {"q": "1"})
    assert found.status_code == 200
    row = model._default_manager.first()
    assert row is not None
    page = admin_client.get(_url(model, f"{row.pk}/change/"))
    assert page.status_code == 200
    text = page.content.decode()
    assert "SECRET" not in text
    assert "gAAAA" not in text  # how encrypted text begins
    assert "token of Shop A" not in text


@pytest.mark.parametrize(
    "name", ["message", "conversation", "sendattempt", "rawanswer", "attachment"]
)
def test_what_the_worker_wrote_cannot_be_edited(admin_client: Client, name: str) -> None:
    model = apps.get_model("messaging", name)
    row = model._default_manager.first()
    assert row is not None
    assert admin_client.post(_url(model, f"{row.pk}/change/"), {}).status_code == 403
    assert admin_client.post(_url(model, f"{row.pk}/delete/"), {"post": "yes"}).status_code == 403
    assert admin_client.get(_url(model, "add/")).status_code == 403


@pytest.mark.parametrize("who", ["operator", "supervisor", "agent", "viewer", "outsider"])
def test_only_staff_come_in(cast: Cast, who: str) -> None:
    client = Client()
    client.force_login(getattr(cast, who))
    assert client.get("/admin/").status_code in {302, 403}
    assert client.get("/admin/", follow=True).status_code == 403
