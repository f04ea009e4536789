"""What the rights table is tried on: things of one team, and everybody who may want to see them."""

import json
import re
import tempfile
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.test import Client
from django.utils import timezone

from messaging.conversations import undo_notes, work
from messaging.media import storing
from messaging.models import (
    Attachment,
    AttachmentState,
    Conversation,
    Draft,
    EventCode,
    Label,
    Message,
    MessageKind,
    ParkedReply,
    Upload,
)
from messaging.replying import services as replying
from sessions_app.invitations import invitations
from sessions_app.links import scan_links
from sessions_app.login import attempts
from sessions_app.models import PersonLink, Receiver, Session, SharedFolder, Team, User
from sessions_app.people.directory import links as directory
from sessions_app.people.roles import Role
from sessions_app.people.tokens import issue_token
from tests.conftest import make_user
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply
from tests.rights.table import ELSEWHERE, STRANGER

OURS = ("Secretive", "Hidden Shop", "whispered words")
"""Only our team may see these: the name of a contact, of an account, and a message."""
LEAD_TO_LOGIN = ("/accounts/login/",)
ADMIN_DOOR = "/admin/login/"
OF_NOBODY = {"upload": "a" * 32, "picture": "a" * 32, "token": 0}


@dataclass
class Caller:
    """Somebody before the doors. `where`: "" for our own team."""

    role: str
    where: str
    client: Client
    user: User | None
    things: dict[str, Any]
    """What is their own: a file in a draft, another one, a token."""

    @property
    def column(self) -> str:
        return self.where or self.role

    def __str__(self) -> str:
        return f"{self.role} of {self.where}" if self.where == ELSEWHERE else self.role


@dataclass
class World:
    callers: list[Caller]
    places: dict[str, Any]
    """Beginning of an address with its parameter → what the parameter is, or its caller's thing."""
    form: dict[str, Any]
    bodies: Mapping[str, Mapping[str, Any]]

    def address(self, pattern: str, caller: Caller) -> str:
        """The pattern with its parameters filled in, the longest known beginning first."""
        address = pattern
        for parameter in re.findall(r"<[^>]+>|{\w+}", pattern):
            until = pattern[: pattern.index(parameter) + len(parameter)]
            known = [one for one in self.places if pattern.startswith(one) and one.endswith(until)]
            assert known, (
                f"tests/rights/world.py does not know what {parameter} of {pattern} stands for: "
                f"add {until!r} to `places`"
            )
            value = self.places[known[0]]
            address = address.replace(
                parameter, str(caller.things[value.name] if isinstance(value, Own) else value)
            )
        return address


@dataclass(frozen=True)
class Own:
    """A thing of whoever asks."""

    name: str


@dataclass(frozen=True)
class Ours:
    """What our team has."""

    team: Team
    agent: User
    session: Session
    conversation: Conversation
    attachment: Attachment
    failed: Message
    parked: ParkedReply
    label: Label
    action: Any
    login: Any
    link: Any
    invitation: Any
    newcomer: User
    password_code: str
    join_code: str


def make_world(tmp: Path) -> World:
    team, other = Team.objects.get(name="Everyone"), Team.objects.create(name="Other team")
    callers = [_member(role, "", team) for role in Role]
    callers.append(_member(None, "", team))
    callers += [_member(role, ELSEWHERE, other) for role in Role if role != Role.ADMINISTRATOR]
    callers.append(Caller(STRANGER, STRANGER, _client(), None, dict(OF_NOBODY)))
    by_role = {one.role: one.user for one in callers if one.user is not None and not one.where}
    ours = _things(team, by_role[Role.AGENT], by_role[Role.OPERATOR], tmp)
    theirs = make_session("Shop B", team=other)  # after ours, which is the default so
    receive(theirs, text_message("theirs", sender="wu@im.wechat"))
    for caller in callers:
        _give_own_things(caller, ours.conversation, tmp)
    return World(callers, _places(ours), _form(ours), BODIES)


def _things(team: Team, agent: User, operator: User, tmp: Path) -> Ours:
    session = make_session(OURS[1], team=team)
    picture = text_message("look")
    picture["item_list"] = [{"type": 2, "image_item": {"media": {"encrypt_query_param": "x"}}}]
    receive(session, text_message(OURS[2]), picture)
    conversation = Conversation.objects.get(session=session)
    replying.rename_contact(contact=conversation.contact, team_id=team.pk, name=OURS[0], user=None)
    failed = send_reply(user=agent, conversation=conversation, text="two", draft_key="2")
    Message.objects.filter(pk=failed.pk).update(
        status="failed", holds_queue=True, error_code="no_reason"
    )
    action = undo_notes.begin(user=agent, code=EventCode.ASSIGNED)
    work.assign(ids=[conversation.pk], assignee=agent, user=agent, action=action)
    parked = ParkedReply.objects.create(
        conversation=conversation, by=agent, text="later", expires_at=timezone.now()
    )
    invitation = invitations.make_invitation(
        user=operator, team=team, prefix="Fair", label="fair", per_hour=9, in_all=9
    )
    SharedFolder.objects.create(pk=1, path="/srv/weilink", receiver=Receiver.CONSOLE)
    return Ours(
        team=team,
        agent=agent,
        session=session,
        conversation=conversation,
        attachment=_stored(Attachment.objects.get(), tmp, OURS[2]),
        failed=failed,
        parked=parked,
        label=Label.objects.create(team=team, name="VIP"),
        action=action,
        login=attempts.start_login(user=operator, session_name="New", team=team),
        link=scan_links.make_link(user=operator, team=team, session_name="Newer"),
        invitation=invitation,
        newcomer=(newcomer := User.objects.create(username="newcomer")),
        password_code=directory.make_password_link(person=newcomer, by=agent, days=3),
        join_code=directory.make_invitation(by=agent, roles=[Role.AGENT], teams=[team], days=3),
    )


def _places(ours: Ours) -> dict[str, Any]:
    signed = scan_links.address(ours.link).rstrip("/").rpartition("/")[2]
    return {
        "/inbox/<int:pk>": ours.conversation.pk,
        "/inbox/<int:pk>/draft/files/<slug:upload_id>": Own("upload"),
        "/inbox/messages/<int:pk>": ours.failed.pk,
        "/inbox/files/<int:pk>": ours.attachment.pk,
        "/inbox/parked/<int:pk>": ours.parked.pk,
        "/inbox/uploads/<slug:upload_id>": Own("picture"),
        "/sessions/<str:name>": ours.session.name,
        "/sessions/-/links/<str:link_id>": ours.link.pk,
        "/sessions/-/invitations/<int:pk>": ours.invitation.pk,
        "/sessions/logins/<str:login_id>": ours.login.pk,
        "/people/<int:pk>": ours.newcomer.pk,
        "/people/teams/<int:pk>": ours.team.pk,
        "/people/links/<int:link_id>": PersonLink.objects.latest("pk").pk,
        "/password/<str:code>": ours.password_code,
        "/join/<str:code>": ours.join_code,
        "/settings/teams/<int:pk>": ours.team.pk,
        "/account/tokens/<int:pk>": Own("token"),
        "/scan/<str:token>": signed,
        "/invite/<str:code>": ours.invitation.code,
        "/api/v1/sessions/{name}": ours.session.name,
        "/api/v1/logins/{login_id}": ours.login.pk,
        "/api/v1/messages/{message_id}": ours.failed.pk,
        "/api/v1/conversations/{conversation_id}": ours.conversation.pk,
        "/api/v1/contacts/{user_id}": "lina@im.wechat",
        "/api/v1/attachments/{attachment_id}": ours.attachment.pk,
    }


def _form(ours: Ours) -> dict[str, Any]:
    """What the forms of the pages send, all at once; each takes what it knows."""
    pk = ours.conversation.pk
    return {
        "id": pk, "ids": pk, "conversation": pk, "at": 1, "up_to": 99, "kind": "file", "number": 1,
        "left": pk, "as": "replace", "code": "123456", "draft_key": "k9", "list": "", "next": "/",
        "action": ours.action.pk, "session_name": "Fresh", "text": "words", "note": "words",
        "new_name": "Fresh", "name": "Fresh", "label": ours.label.pk, "labels": ours.label.pk,
        "until": "2030-01-01T10:00", "per_hour": 5, "in_all": 5, "name_prefix": "Fresh",
        "team": ours.team.pk, "assignee": ours.agent.pk, "account": ours.session.pk,
        "theme": "dark",
    }  # fmt: skip


BODIES: dict[str, dict[str, Any]] = {
    "POST /api/v1/messages": {"to": "lina@im.wechat", "text": "hi"},
    "POST /api/v1/logins": {"name": "Fresh"},
    "POST /api/v1/logins/{login_id}/verify-code": {"code": "123"},
    "POST /api/v1/logins/{login_id}/resolve": {"as": "replace"},
    "POST /api/v1/sessions/{name}/rename": {"new_name": "Fresh"},
    "POST /api/v1/contacts/{user_id}/typing": {"on": True},
    "PATCH /api/v1/contacts/{user_id}": {"name": "Li Na"},
}


def _member(role: Role | None, where: str, team: Team) -> Caller:
    name = f"{role or 'nothing'}-{team.pk}"
    user = make_user(name, role, team)
    if role == Role.ADMINISTRATOR:
        user.is_staff = user.is_superuser = True  # as `createsuperuser` makes the first one
        user.save()
    client = _client()
    client.force_login(user)
    return Caller(str(role or "no role"), where, client, user, {})


def _client() -> Client:
    return Client(raise_request_exception=False)


def _stored(row: Any, tmp: Path, content: str = "bytes") -> Any:
    """The row with bytes, a thumbnail and a sound of its own."""
    names = []
    for _part in range(3):
        with tempfile.NamedTemporaryFile(dir=tmp, delete=False) as file:
            file.write(content.encode())
        names.append(storing.take_in(Path(file.name)))
    row.stored_name, row.thumb_name, row.sound_name = names
    row.content_type, row.size = "image/png", len(content)
    if isinstance(row, Attachment):
        row.state = AttachmentState.STORED
    row.save()
    return row


def _give_own_things(caller: Caller, conversation: Conversation, tmp: Path) -> None:
    if caller.user is None:
        return
    draft = None
    if not caller.where:
        draft = Draft.objects.create(conversation=conversation, user=caller.user, key="d", text="")
    for name, its_draft in (("upload", draft), ("picture", None)):
        row = Upload(owner=caller.user, kind=MessageKind.IMAGE, file_name="1.png", draft=its_draft)
        caller.things[name] = _stored(row, tmp).pk
    token, _secret = issue_token(owner=caller.user, name="script")
    caller.things["token"] = token.pk


# Asking


@dataclass(frozen=True)
class Answer:
    """`kind`: yes, login, 401, 403, 404, or a status that no row may have."""

    kind: str
    shows_ours: bool


def ask(world: World, caller: Caller, method: str, pattern: str) -> Answer:
    """One request. Whatever it changes is undone."""
    address = world.address(pattern, caller)
    body: Any = world.form
    options: dict[str, Any] = {}
    if address.startswith("/api/"):
        body = json.dumps(world.bodies.get(f"{method} {pattern}", {}))
        options["content_type"] = "application/json"
    cookies = copy(caller.client.cookies)
    with transaction.atomic():
        if method in ("GET", "HEAD"):
            answer = caller.client.get(address, {"id": world.form["id"]})
        elif method == "POST":
            answer = caller.client.post(address, body, **options)
        else:
            answer = caller.client.generic(method, address, body, **options)
        content = b"".join(answer) if answer.streaming else answer.content
        transaction.set_rollback(True)
    caller.client.cookies = cookies
    shows = any(one.encode() in content for one in OURS)
    return Answer(_kind(answer.status_code, answer.headers.get("Location", ""), caller), shows)


def _kind(status: int, leads_to: str, caller: Caller) -> str:
    if status in (301, 302, 303, 307):
        if leads_to.startswith(ADMIN_DOOR):  # it refuses everybody who is signed in
            return "login" if caller.user is None else "403"
        return "login" if leads_to.startswith(LEAD_TO_LOGIN) else "yes"
    if status in (401, 403, 404):
        return str(status)
    if status in (200, 201, 202, 204, 304, 400, 409, 410, 413, 422, 501):
        return "yes"  # let in, though this form may not be complete
    return str(status)
