"""Every write, tried from another team: no row of ours changes, and none that is new leads to us.

The addresses come from the URLs themselves, so that a new one is tried without being named here.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.apps import apps
from django.db.models import ForeignKey, Model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from messaging.api import app as api
from messaging.conversations import undo_notes, work
from messaging.models import (
    Attachment,
    Conversation,
    Draft,
    EventCode,
    Label,
    Message,
    ParkedReply,
    Upload,
)
from sessions_app.invitations import invitations
from sessions_app.links import scan_links
from sessions_app.login import attempts
from sessions_app.models import PersonLink, Receiver, Session, SharedFolder, Team, User
from sessions_app.people.directory import services
from sessions_app.people.roles import Role
from sessions_app.people.tokens import issue_token
from tests.conftest import Cast, make_user
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply

pytestmark = pytest.mark.django_db

NOT_OF_A_TEAM = {
    "ThrottleCount", "PostedKey", "Stream", "User", "ApiToken", "Team", "Installation",
    "QuarterHour", "SignedInBrowser", "ForgettingKey", "Forgotten", "SweepPosition",
}  # fmt: skip
"""Rows of the visitor's own, numbers of all, and people, whom `test_admin` looks after."""
OWN_DOORS = {"/accounts/logout/", "/account/password/", "/healthz", "/readyz", "/metrics"}
"""They end the visitor's session, or are asked by programs and write nothing."""


@dataclass
class World:
    """What our team has, and a visitor with every role but the administrator's, in another."""

    visitor: User
    team: Team
    mine: set[tuple[str, Any]]
    """Rows of the visitor's own team: model and primary key."""
    rows: dict[str, list[Any]] = field(default_factory=dict)
    """Name of a parameter → values that lead to something of ours."""


@pytest.fixture
def world(cast: Cast, settings: Any, tmp_path: Any) -> World:
    settings.WEILINK_STORE, settings.WEILINK_BASE_PATH = "files", tmp_path / "weilink"
    visitor = make_user("vera", Role.AGENT, cast.other_team)
    visitor.groups.set(cast.operator.groups.all() | cast.supervisor.groups.all())
    session = make_session("Shop A", team=cast.team)
    Session.objects.filter(pk=session.pk).update(is_default=True)
    theirs = make_session("Shop B", team=cast.other_team)
    picture = text_message("look")
    picture["item_list"] = [{"type": 2, "image_item": {"media": {"encrypt_query_param": "x"}}}]
    receive(session, text_message("hello"), picture)
    conversation = Conversation.objects.get(session=session)
    queued = send_reply(user=cast.agent, conversation=conversation, text="one", draft_key="1")
    failed = send_reply(user=cast.agent, conversation=conversation, text="two", draft_key="2")
    Message.objects.filter(pk=failed.pk).update(
        status="failed", holds_queue=True, error_code="no_reason"
    )
    label = Label.objects.create(team=cast.team, name="VIP")
    action = undo_notes.begin(user=cast.agent, code=EventCode.ASSIGNED)
    work.assign(ids=[conversation.pk], assignee=cast.agent, user=cast.agent, action=action)
    upload = Upload.objects.create(owner=cast.agent, kind="file", file_name="1.pdf")
    Draft.objects.create(conversation=conversation, user=cast.agent, key="d1", text="so far")
    parked = ParkedReply.objects.create(
        conversation=conversation, by=cast.agent, text="later", expires_at=timezone.now()
    )
    login = attempts.start_login(user=cast.operator, session_name="New", team=cast.team)
    link = scan_links.make_link(user=cast.operator, team=cast.team, session_name="Newer")
    services.invite(by=cast.administrator, roles=[Role.AGENT], teams=[cast.team], days=3)
    invitation = invitations.make_invitation(
        user=cast.operator, team=cast.team, prefix="Fair", label="fair", per_hour=9, in_all=9
    )
    SharedFolder.objects.create(pk=1, path="/srv/weilink", receiver=Receiver.CONSOLE)
    messages = list(Message.objects.values_list("pk", flat=True))
    numbers = [
        conversation.pk, *messages, invitation.pk, parked.pk, cast.agent.pk,
        *Attachment.objects.values_list("pk", flat=True),
    ]  # fmt: skip
    return World(
        visitor,
        cast.team,
        {("Session", theirs.pk)},
        {
            "name": ["Shop A", "Shop B"],
            "pk": sorted({*numbers}),
            "link_id": [link.pk, PersonLink.objects.get().pk],
            "login_id": [login.pk],
            "upload_id": [upload.pk],
            "token": ["1"],
            "code": ["1"],
            "message_id": [queued.pk, failed.pk],
            "conversation_id": [conversation.pk],
            "user_id": ["lina@im.wechat"],
            "attachment_id": [1],
            "conversation": [conversation.pk],
            "account": [session.pk],
            "label": [label.pk],
            "action": [action.pk],
        },
    )


def _pages(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _pages(entry, path)
        elif isinstance(entry, URLPattern):
            yield path


PAGES = sorted(
    {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)
        for path in _pages(get_resolver())
        if not path.startswith(("/admin/", "/api/", "/scan/", "/invite/"))
    }
    - OWN_DOORS
)
CALLS = sorted(
    (method.upper(), path)
    for path, methods in api.schema()["paths"].items()
    for method in methods
    if method != "get"
)


def _addresses(path: str, world: World) -> list[str]:
    found = [path]
    for name in re.findall(r"{(\w+)}", path):
        found = [one.replace(f"{{{name}}}", str(v)) for one in found for v in world.rows[name]]
    return found


def _forms(world: World) -> list[dict[str, Any]]:
    """What the forms of the pages send, all at once; each form takes what it knows."""
    [conversation] = world.rows["conversation"]
    [label] = world.rows["label"]
    shared = {
        "id": conversation, "ids": conversation, "at": 1, "up_to": 99, "kind": "file", "number": 1,
        "had": "", "left": conversation, "list": "", "as": "replace", "code": "123456", "key": "k9",
        "action": world.rows["action"][0], "upload": world.rows["upload_id"][0],
        "session_name": "Shop A", "account": world.rows["account"][0],
        "override": "1", "override_as": "Shop A",
        "text": "stolen", "note": "stolen", "new_name": "Stolen", "draft_key": "k9", "types": "1",
        "label": label, "labels": label, "new": "Stolen label", "until": "2030-01-01T10:00",
        "per_hour": 5, "in_all": 5, "name_prefix": "Stolen", "next": "/",
        "to": world.visitor.pk, "roles": "administrator", "teams": world.team.pk, "days": 7,
        "username": "stolen", "seen": services.fingerprint(world.visitor),
    }  # fmt: skip
    return [
        {**shared, "team": team, "name": name, "assignee": world.visitor.pk}
        for team in (world.team.pk, world.visitor.teams.get().pk)
        for name in ("Shop A", "Stolen")
    ]


def _bodies(world: World) -> list[dict[str, Any]]:
    [conversation] = world.rows["conversation"]
    return [
        {
            "to": "lina@im.wechat", "session": "Shop A", "text": "stolen", "name": "Stolen",
            "new_name": "Stolen", "note": "stolen", "as": "replace", "code": "123", "on": True,
            "team": team, "assignee": "vera", "status": "resolved", "force": True,
            "conversation": conversation, "labels": ["VIP"], "override": True, "label": "VIP",
        }
        for team in ("Everyone", "Other team")
    ] + [{"name": "Shop A", "force": True}, {}]  # fmt: skip


def _models() -> list[type[Model]]:
    ours = [
        *apps.get_app_config("sessions_app").get_models(),
        *apps.get_app_config("messaging").get_models(),
    ]
    return [one for one in ours if one.__name__ not in NOT_OF_A_TEAM]


Rows = dict[tuple[str, Any], dict[str, Any]]


def _rows() -> Rows:
    return {(model.__name__, row["pk_"]): row for model in _models() for row in _with_pk(model)}


def _with_pk(model: type[Model]) -> Iterator[dict[str, Any]]:
    names = [one.attname for one in model._meta.concrete_fields]
    for values in model._default_manager.order_by("pk").values_list("pk", *names):
        yield {"pk_": values[0], **dict(zip(names, values[1:], strict=True))}


def _nothing_of_ours_changed(before: Rows, after: Rows, world: World, tried: str) -> None:
    for key, row in before.items():
        if key not in world.mine:
            assert after.get(key) == row, f"{tried} changed {key}"
    for (name, pk), row in after.items():
        if (name, pk) in before:
            continue
        model = next(one for one in _models() if one.__name__ == name)
        for one in model._meta.concrete_fields:
            if isinstance(one, ForeignKey) and row[one.attname] is not None:
                aim = one.related_model.__name__, row[one.attname]
                assert aim not in before or aim in world.mine, (
                    f"{tried} made a {name} that leads to {aim}"
                )
                assert aim != ("Team", world.team.pk), f"{tried} made a {name} in our team"


def test_the_walk_finds_the_writes() -> None:
    assert len(PAGES) > 60
    assert ("POST", "/api/v1/messages") in CALLS
    assert len(CALLS) > 12


def test_the_same_writes_work_for_our_own_people(world: World, cast: Cast) -> None:
    """Otherwise the test below would prove nothing."""
    cast.agent.groups.set(world.visitor.groups.all())
    client = Client(raise_request_exception=False)
    client.force_login(cast.agent)
    before = _rows()
    for path in ("/inbox/{pk}/note/", "/inbox/work/resolve/", "/sessions/{name}/rename/"):
        for address in _addresses(path, world):
            client.post(address, _forms(world)[1])
    _token, secret = issue_token(owner=cast.agent, name="script")
    for path in ("/api/v1/messages", "/api/v1/conversations/{conversation_id}"):
        for address in _addresses(path, world):
            for method in ("POST", "PATCH"):
                _call(method, address, _bodies(world)[0], secret)
    changed = {key[0] for key, row in _rows().items() if before.get(key) != row}
    assert {"TeamContact", "Conversation", "Session", "Message"} <= changed


@pytest.mark.parametrize("path", PAGES)
def test_no_page_writes_across_the_border(world: World, path: str) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(world.visitor)
    before = _rows()
    for address in _addresses(path, world):
        for form in _forms(world):
            answer = client.post(address, form)
            assert answer.status_code != 500, (address, form)
    _nothing_of_ours_changed(before, _rows(), world, path)


def _call(method: str, address: str, body: dict[str, Any], secret: str) -> Any:
    return Client(raise_request_exception=False).generic(
        method,
        address,
        data=json.dumps(body).encode(),
        content_type="application/json",
        headers={"authorization": f"Bearer {secret}"},
    )


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_no_call_of_the_api_writes_across_the_border(
    world: World, method: str, path: str, no_waiting_for_codes: None
) -> None:
    _token, secret = issue_token(owner=world.visitor, name="script")
    before = _rows()
    for address in _addresses(path, world):
        for body in _bodies(world):
            answer = _call(method, address, body, secret)
            assert answer.status_code not in {401, 500}, (address, body)
    _nothing_of_ours_changed(before, _rows(), world, f"{method} {path}")
