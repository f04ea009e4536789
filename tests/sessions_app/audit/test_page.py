"""`/people/audit/`: who may see it, what it says, how it is filtered and paged."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation

from sessions_app.audit import queries as audit_queries
from sessions_app.audit.presentation import settings_labels
from sessions_app.audit.sentences import KINDS, LABELS, sentence
from sessions_app.models import AuditEntry
from sessions_app.recording.actions import Action, Kind
from sessions_app.recording.record import Subject, person_subject, record
from tests.conftest import Cast, make_user
from tests.queries import queries

pytestmark = pytest.mark.django_db

PAGE, EXPORT = "/people/audit/", "/people/audit/export/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.administrator)
    return client


def words(answer: Any) -> list[str]:
    """The sentences of a page, newest first."""
    return re.findall(r'<p dir="auto">(.*?)</p>', answer.content.decode())


def grow(count: int, **columns: Any) -> None:
    facts = {"door": "browser", "action": Action.SIGNED_OUT, "actor_name": "zoe", **columns}
    AuditEntry.objects.bulk_create(AuditEntry(**facts) for _ in range(count))


ROLES = ["operator", "supervisor", "agent", "agent_elsewhere", "viewer", "outsider"]


@pytest.mark.parametrize("role", ROLES)
def test_nobody_but_administrators_sees_it(cast: Cast, role: str) -> None:
    client = Client()
    client.force_login(getattr(cast, role))
    assert client.get(PAGE).status_code == 403
    assert client.post(EXPORT).status_code == 403
    assert PAGE not in client.get("/account/").content.decode()


def test_administrators_find_it_beside_the_people(client: Client) -> None:
    assert f'href="{PAGE}"' in client.get("/people/").content.decode()
    answer = client.get(PAGE)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"


def test_the_newest_sentence_is_first(client: Client, cast: Cast) -> None:
    session = Subject(Kind.SESSION, 7, "Shop A", cast.team.pk)
    record(Action.SESSION_PAUSED, session, user=cast.operator)
    record(Action.SESSION_RENAMED, session, user=cast.operator, old="Shop A", new="Shop B")
    assert words(client.get(PAGE))[:3] == [
        "otto renamed the account “Shop A” to “Shop B”.",
        "otto paused the account “Shop A”.",
        "ada signed in.",
    ]


def test_markup_in_names_is_text(client: Client) -> None:
    record(Action.TEAM_ADDED, Subject(Kind.TEAM, 3, "<b>Night</b>"))
    assert "&lt;b&gt;Night" in words(client.get(PAGE))[0]


def test_every_action_and_kind_has_words() -> None:
    assert set(LABELS) == set(Action)
    assert set(KINDS) == set(Kind)
    for action in Action:
        for language in ("en", "zh-hans"):
            with translation.override(language):
                entry = AuditEntry(action=action, door="browser", actor_name="ada", object_id="5")
                assert sentence(entry, settings_labels()).strip("–. ")


def test_an_action_of_a_later_release_shows_its_code(client: Client) -> None:
    grow(1, action="moon_landing")
    assert words(client.get(PAGE))[0] == "zoe: moon_landing"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("text=shop", ["Shop A"]),
        ("text=night+script", ["Shop A"]),
        ("text=OTTO", ["Shop A"]),
        ("action=team_added", ["Night"]),
        ("kind=session", ["Shop A"]),
        ("about=session:7", ["Shop A"]),
        ("about=session:8", []),
        ("person={operator}", ["Shop A"]),
        ("team={team}", ["Shop A"]),
        ("since=2026-03-02", ["Night"]),
        ("until=2026-03-01", ["Shop A"]),
        ("since=2026-03-01&until=2026-03-02", ["Night", "Shop A"]),
        ("text=shop&action=team_added", []),
    ],
)
def test_filters(client: Client, cast: Cast, query: str, names: list[str]) -> None:
    common = {"door": "api", "action": Action.SESSION_PAUSED}
    day = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with_all = AuditEntry(
        at=day, actor_id=cast.operator.pk, actor_name="otto", token="night script (…abcd)",
        object_kind="session", object_id="7", object_name="Shop A", team_id=cast.team.pk, **common,
    )  # fmt: skip
    other = AuditEntry(
        at=day + timedelta(days=1), door="browser", action=Action.TEAM_ADDED, actor_name="zoe",
        object_kind="team", object_id="99", object_name="Night", team_id=99,
    )  # fmt: skip
    AuditEntry.objects.bulk_create([with_all, other])
    asked = query.format(operator=cast.operator.pk, team=cast.team.pk)
    found = words(client.get(f"{PAGE}?{asked}"))
    ours = [one for one in found if "Shop A" in one or "Night" in one]
    assert len(ours) == len(names)
    assert all(name in one for name, one in zip(names, ours, strict=True))


@pytest.mark.parametrize(
    "query", ["action=x", "person=x", "team=-1", "since=yesterday", "about=%00", "kind=x"]
)
def test_a_filter_that_is_none_is_said(client: Client, query: str) -> None:
    answer = client.get(f"{PAGE}?{query}")
    assert (answer.status_code, words(answer)) == (422, [])
    assert client.post(f"{EXPORT}", dict([query.split("=")])).status_code in {200, 422}


@pytest.mark.parametrize("before", ["x", "-1", "9" * 40, "²"])
def test_a_position_that_is_none_begins_anew(client: Client, before: str) -> None:
    assert client.get(PAGE, {"before": before}).status_code == 200


def test_a_person_who_is_gone_can_still_be_listed(client: Client) -> None:
    person = make_user("leo")
    record(Action.SIGNED_IN, person_subject(person), user=person)
    key = person.pk
    person.delete()
    answer = client.get(f"{PAGE}?person={key}")
    assert words(answer) == ["leo signed in."]
    assert f'<option value="{key}" selected>leo</option>' in answer.content.decode()


def test_paging_keeps_the_filters_and_repeats_nothing(client: Client) -> None:
    grow(120)
    address, seen, pages = f"{PAGE}?text=zoe", 0, 0
    while address:
        page = client.get(address).content.decode()
        seen, pages = seen + page.count("zoe signed out."), pages + 1
        more = re.search(r'class="button"\s+href="(/people/audit/\?[^"]+before=\d+)"', page)
        address = more[1].replace("&amp;", "&") if more else ""
        grow(1)  # what is added meanwhile moves no page
    assert (seen, pages) == (120, 3)


def test_htmx_gets_the_rows_alone(client: Client) -> None:
    grow(60)
    newest = AuditEntry.objects.order_by("-pk")[49].pk
    page = client.get(f"{PAGE}?text=zoe&before={newest}", headers=HTMX).content.decode()
    assert page.lstrip().startswith("<li")
    assert page.count('class="audit-entry"') == 10
    assert "<main" not in page


def test_nothing_found_says_so(client: Client) -> None:
    page = client.get(f"{PAGE}?text=nobody-of-this-name").content.decode()
    assert "No results." in page
    assert "Clear filters" in page


def test_a_page_takes_the_same_statements_at_any_length(client: Client) -> None:
    client.get(PAGE)
    with queries() as few:
        client.get(PAGE)
    grow(80, team_id=5, actor_id=7, object_kind="session", object_id="1")
    with queries() as many:
        client.get(PAGE)
    assert len(many) == len(few), many


def test_an_older_day_is_shown_with_its_year(client: Client) -> None:
    grow(1, at=timezone.now() - timedelta(days=500))
    year = (timezone.now() - timedelta(days=500)).year
    assert f">{year}-" in client.get(f"{PAGE}?text=zoe").content.decode()


def test_a_team_that_is_gone_keeps_its_name(cast: Cast) -> None:
    night = cast.other_team
    key = night.pk
    record(Action.SESSION_ADDED, Subject(Kind.SESSION, 7, "Shop A", key))
    cast.agent_elsewhere.teams.clear()
    night.delete()
    assert audit_queries.team_names()[key] == "Other team"
