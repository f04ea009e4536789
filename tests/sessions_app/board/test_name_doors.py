"""Names on every door of the console: bad ones are 422, clashes 409 or the words at the field.

A door takes a client or a caller and a name, and says how it was answered.
"""

import html
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone, translation

from sessions_app.database.encryption import encrypt
from sessions_app.invitations import invitations
from sessions_app.login import attempts
from sessions_app.models import Invitation, LoginAttempt, LoginState, Session
from sessions_app.sessions import names, reasons
from sessions_app.sessions.binding import Credentials
from tests.api.callers import Caller, calling
from tests.conftest import Cast
from tests.messaging.builders import make_session
from tests.session_names import BAD, CLASHES, FINE, SURROGATE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_waiting_for_codes")]

HTMX = {"HX-Request": "true"}


@dataclass(frozen=True)
class Answered:
    """`words` stand under the field, or in the error's message."""

    status: int
    words: str


@dataclass
class Console:
    """Shop A, somebody who manages, and a scan of Shop A by another account."""

    cast: Cast
    page: Client
    api: Caller
    shop: Session
    scanned: LoginAttempt

    def post(self, address: str, **form: object) -> Answered:
        answer = self.page.post(address, form, headers=HTMX)
        text = html.unescape(answer.content.decode())
        found = re.search(r'role="alert">([^<]*)<', text)
        return Answered(answer.status_code, (found[1] if found else text).strip())

    def ask(self, path: str, body: object) -> Answered:
        answer = self.api.post(path, body)
        return Answered(answer.status, answer.body["error"]["message"] if answer.code else "")


@pytest.fixture
def console(cast: Cast) -> Console:
    shop = make_session("Shop A")
    page = Client()
    page.force_login(cast.operator)
    scanned = attempts.start_login(
        user=cast.operator, session_name="Shop A", team=cast.team, session=shop, force=True
    )
    kept = Credentials("t", "b@im.bot", "https://ilinkai.weixin.qq.com", "other@im.wechat")
    LoginAttempt.objects.filter(pk=scanned.pk).update(
        status=LoginState.OTHER_ACCOUNT,
        encrypted_result=encrypt(kept.to_json()),
        finished_at=timezone.now(),
    )
    return Console(cast, page, calling(cast.operator), shop, scanned)


Door = Callable[[Console, str], Answered]

PAGES: dict[str, Door] = {
    "page: add": lambda console, name: console.post(
        "/sessions/-/add/", name=name, team=console.cast.team.pk
    ),
    "page: rename": lambda console, name: console.post("/sessions/Shop%20A/rename/", new_name=name),
    "page: resolve": lambda console, name: console.post(
        f"/sessions/logins/{console.scanned.pk}/resolve/", name=name, **{"as": "new"}
    ),
}
API: dict[str, Door] = {
    "api: login": lambda console, name: console.ask("/logins", {"name": name}),
    "api: rename": lambda console, name: console.ask("/sessions/Shop A/rename", {"new_name": name}),
    "api: resolve": lambda console, name: console.ask(
        f"/logins/{console.scanned.pk}/resolve", {"as": "new", "name": name}
    ),
}
INVITE: dict[str, Door] = {
    "page: invitation": lambda console, name: console.post(
        "/sessions/-/invitations/",
        name_prefix=name,
        team=console.cast.team.pk,
        per_hour=1,
        in_all=1,
    ),
}
DOORS: dict[str, Door] = {**PAGES, **API}
EVERY: dict[str, Door] = {**DOORS, **INVITE}


def _rows() -> object:
    return (
        sorted(Session.objects.values_list("name", "name_key", "generation")),
        sorted(LoginAttempt.objects.values_list("pk", "status", "session_name")),
        Invitation.objects.count(),
    )


@pytest.mark.parametrize("door", EVERY)
@pytest.mark.parametrize("name", BAD, ids=ascii)
def test_a_bad_name_is_422_and_changes_nothing(console: Console, door: str, name: str) -> None:
    before = _rows()
    with translation.override("en"):
        answered = EVERY[door](console, name)
        words = {reasons.sentence(BAD[name])}
    if door in INVITE:  # a number follows, so the end and the length are others
        words |= {"At most 50 characters: a number follows.", reasons.sentence("name_edges")}
    if door in API and "\0" in name:  # refused by the schema, as in any text
        words = {answered.words}
    assert (answered.status, answered.words in words) == (422, True), answered
    assert _rows() == before


@pytest.mark.parametrize("door", API)
def test_half_a_character_is_422(console: Console, door: str) -> None:
    assert API[door](console, SURROGATE).status == 422
    assert Session.objects.count() == 1


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("there", "clash"), CLASHES, ids=ascii)
def test_a_name_that_clashes_is_refused_with_the_name_that_is_there(
    console: Console, door: str, there: str, clash: str
) -> None:
    make_session(there)
    before = _rows()
    answered = DOORS[door](console, clash)
    assert answered.status == (422 if door in PAGES else 409)
    assert answered.words == f"An account named “{there}” already exists."
    assert _rows() == before


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", FINE, ids=ascii)
def test_a_good_name_passes_in_its_normal_form(console: Console, door: str, name: str) -> None:
    assert DOORS[door](console, name).status in {200, 201}
    known = [*Session.objects.values_list("name", flat=True)]
    known += LoginAttempt.objects.values_list("session_name", flat=True)
    assert unicodedata.normalize("NFC", name) in known


@pytest.mark.parametrize("name", FINE, ids=ascii)
def test_an_invitation_takes_a_good_name_to_begin_with(console: Console, name: str) -> None:
    answered = INVITE["page: invitation"](console, name)
    assert answered.status == (422 if len(name) > 50 else 302)


# Nothing is renamed to `default`, and `default` means the session of that name alone


@pytest.mark.parametrize("name", ["default", "Default", "DEFAULT"])
@pytest.mark.parametrize("door", ["page: rename", "api: rename"])
def test_nothing_is_renamed_to_default(console: Console, door: str, name: str) -> None:
    answered = DOORS[door](console, name)
    assert (answered.status, answered.words) == (422, "Nothing can be renamed to “default”.")
    console.shop.refresh_from_db()
    assert console.shop.name == "Shop A"


ACTIONS = ["scan", "link", "delete", "rename", "pause", "resume", "default", "log-out", ""]


@pytest.mark.parametrize("action", ACTIONS)
def test_default_in_a_page_s_address_is_no_other_session(console: Console, action: str) -> None:
    assert console.shop.is_default
    before = _rows()
    address = f"/sessions/default/{action}/".replace("//", "/")
    method = console.page.get if not action else console.page.post
    assert method(address).status_code == 404
    assert _rows() == before


@pytest.mark.parametrize("action", ["rename", "logout", "default", "pause", "resume"])
def test_default_in_the_api_is_no_other_session(console: Console, action: str) -> None:
    before = _rows()
    body = {"new_name": "Shop B"} if action == "rename" else None
    answer = console.api.post(f"/sessions/default/{action}", body)
    assert (answer.status, answer.code) == (404, "unknown_session")
    assert _rows() == before


@pytest.mark.parametrize("door", ["page: add", "api: login"])
def test_default_may_be_logged_in_to_beside_another_default(console: Console, door: str) -> None:
    assert DOORS[door](console, "default").status in {200, 201}
    attempt = LoginAttempt.objects.get(session_name="default")
    assert attempt.session is None
    attempts.confirm(attempt.pk, Credentials("t", "d@im.bot", "https://ilinkai.weixin.qq.com", "d"))
    assert Session.objects.get(is_default=True).name == "Shop A"
    assert console.api.post("/sessions/default/pause").body["name"] == "default"
    console.shop.refresh_from_db()
    assert console.shop.state == "connected"


def test_a_message_sent_by_default_is_not_sent_by_the_default_session(console: Console) -> None:
    body = {"to": "lina@im.wechat", "text": "hello", "session": "default"}
    answer = calling(console.cast.agent).post("/messages", body)
    assert (answer.status, answer.code) == (404, "unknown_session")


# Addresses


@pytest.mark.parametrize("name", [*BAD, "nobody"], ids=ascii)
def test_an_address_with_an_impossible_name_is_404(console: Console, name: str) -> None:
    before = _rows()
    if name not in {"", ".", ".."}:  # a client resolves those itself
        for action in ("", "pause/", "rename/"):
            method = console.page.post if action == "pause/" else console.page.get
            assert method(f"/sessions/{quote(name, safe='')}/{action}").status_code == 404
    assert _rows() == before


def test_names_of_visitors_stay_within_the_rule(console: Console) -> None:
    made = invitations.make_invitation(
        user=console.cast.operator,
        team=console.cast.team,
        prefix="名" * 50,
        label="",
        per_hour=9,
        in_all=9,
    )
    for _ in range(3):
        visit = invitations.enter(made, None, network="203.0.113.7")
        assert visit.attempt is not None
        assert names.clean_session_name(visit.attempt.session_name) == visit.attempt.session_name
