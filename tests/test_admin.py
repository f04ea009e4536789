"""Django admin: every model is there, found and filtered; secrets never leave it."""

import html
import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db.models import Model
from django.test import Client, RequestFactory
from django.utils import timezone

from messaging.conversations import undo_notes, work
from messaging.delivering import outbox
from messaging.forgotten import hashes
from messaging.models import (
    Conversation,
    Departure,
    Draft,
    EventCode,
    Forgotten,
    Label,
    Mention,
    Message,
    ParkedReply,
    PostedKey,
    Removal,
    SweepPosition,
    Typing,
    Upload,
)
from messaging.replying import services as replying
from sessions_app.invitations import invitations
from sessions_app.links import scan_links
from sessions_app.login import attempts
from sessions_app.models import Installation, SharedFolder, User
from sessions_app.people import throttle
from sessions_app.people.directory import services as people
from sessions_app.people.throttle import Bucket
from sessions_app.people.tokens import issue_token
from sessions_app.sessions import leases, quarters
from sessions_app.team_settings.introductions import change_introduction
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
    invitations.enter(invitation, None, network="203.0.113.7")
    SharedFolder.objects.create(pk=1, path="/srv/weilink")
    Installation.objects.create(pk=1, held_of="console.sqlite3", held_at=timezone.now())
    quarters.note_heard([session.pk], timezone.now())
    throttle.take("sign-in", Bucket(1, 1), 1.0)
    PostedKey.objects.create(owner=cast.agent, key="k1", digest="d")
    Label.objects.create(team=cast.team, name="VIP")
    replying.rename_contact(
        contact=conversation.contact, team_id=cast.team.pk, name="Li Na", user=None
    )
    action = undo_notes.begin(user=cast.agent, code=EventCode.ASSIGNED)
    work.assign(ids=[conversation.pk], assignee=cast.agent, user=cast.agent, action=action)
    Departure.objects.create(team=cast.other_team, conversation=conversation)
    Upload.objects.create(owner=cast.agent, kind="file", file_name="1.pdf")
    issue_token(owner=cast.agent, name="script")
    people.invite(by=cast.administrator, roles=[], teams=[cast.team], days=3)
    now, note = timezone.now(), Message.objects.earliest("id")
    Draft.objects.create(conversation=conversation, user=cast.agent, key="d1", text="so far")
    Mention.objects.create(conversation=conversation, user=cast.agent, message=note)
    ParkedReply.objects.create(
        conversation=conversation, by=cast.agent, text="later", expires_at=now
    )
    Typing.objects.create(conversation=conversation, session=session, wanted_until=now)
    change_settings(user=cast.administrator, wanted={"park_days": 9})
    hashes.key_in_use(now)
    Forgotten.objects.create(digest="1" * 64)
    Removal.objects.create(team=cast.team, conversation_key=1)
    SweepPosition.objects.create(job="messages")
    change_introduction(
        user=cast.administrator, team=cast.team, name="Lin", text="hello", logo=b"SECRET"
    )
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


# What an address may ask for


@pytest.mark.parametrize("model", [*OURS, Group], ids=lambda model: model.__name__)
def test_nobody_filters_by_what_the_page_does_not_offer(
    admin_client: Client, model: type[Model]
) -> None:
    """`?qrcode__regex=^a` would read a secret letter by letter."""
    registered = admin.site._registry[model]
    offered = {str(each) for each in registered.list_filter} | {registered.date_hierarchy}
    asked = []
    for field in model._meta.concrete_fields:
        asked += [f"{field.name}__{how}" for how in ("startswith", "regex", "contains", "nothing")]
        asked += [] if field.name in offered else [field.name, f"{field.name}__gte"]
    for far in model._meta.get_fields():
        if far.is_relation and far.related_model is not None:
            asked.append(f"{far.name}__id__regex")
    request = RequestFactory().get("/")
    assert [one for one in asked if registered.lookup_allowed(one, "1", request)] == []
    assert admin_client.get(_url(model, ""), {asked[0]: "1"}).status_code == 400


@pytest.mark.parametrize("model", [*OURS, Group], ids=lambda model: model.__name__)
def test_every_link_of_a_filter_works(admin_client: Client, model: type[Model]) -> None:
    registered = admin.site._registry[model]
    page = admin_client.get(_url(model, "")).content.decode()
    links = set(re.findall(r'href="(\?[^"]+)"', page))
    assert links or not registered.list_filter
    for link in links:
        assert admin_client.get(_url(model, "") + html.unescape(link)).status_code == 200, link


@pytest.mark.parametrize("query", ["o=x", "p=x", "p=999", "last_at__year=x", "status=x&_facets=1"])
def test_damaged_addresses_lead_back_to_the_list(admin_client: Client, query: str) -> None:
    answer = admin_client.get(f"{_url(Conversation, '')}?{query}", follow=True)
    assert answer.status_code in {200, 400}


@pytest.fixture
def helper(cast: Cast) -> Client:
    """Works in the admin with every permission, and is no superuser."""
    cast.operator.is_staff = True
    cast.operator.save()
    cast.operator.user_permissions.set(Permission.objects.all())
    client = Client()
    client.force_login(cast.operator)
    return client


def test_only_superusers_give_rights(helper: Client, cast: Cast) -> None:
    person = cast.agent
    fields = {
        "username": "wei", "first_name": "Wei", "is_active": "on", "is_staff": "on",
        "is_superuser": "on", "groups": [str(each.pk) for each in Group.objects.all()],
        "teams": [str(cast.other_team.pk)], "date_joined_0": "2026-01-01", "date_joined_1": "00:00",
        "language": "", "time_zone": "",
    }  # fmt: skip
    assert helper.post(_url(User, f"{person.pk}/change/"), fields).status_code == 302
    person.refresh_from_db()
    assert person.first_name == "Wei"
    assert not person.is_staff
    assert not person.is_superuser
    assert [each.name for each in person.groups.all()] == ["agent"]
    assert list(person.teams.all()) == [cast.team]


@pytest.mark.parametrize("page", ["change/", "password/", "delete/"])
def test_nobody_else_changes_a_superuser(helper: Client, cast: Cast, page: str) -> None:
    cast.administrator.is_superuser = True
    cast.administrator.save()
    where = _url(User, f"{cast.administrator.pk}/{page}")
    assert helper.post(where, {"post": "yes"}).status_code == 403
    role = Group.objects.get(name="agent")
    assert helper.post(_url(Group, f"{role.pk}/change/"), {"name": "x"}).status_code == 403
