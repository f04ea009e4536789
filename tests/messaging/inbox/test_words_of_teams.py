"""A team's name and note for a contact: seen and found by that team, and by no other."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone

from messaging.conversations import work
from messaging.conversations.finding import people_named
from messaging.inbox.heard import heard_since
from messaging.models import Contact, Conversation, TeamContact
from messaging.push.content import InboxContent
from messaging.replying import services
from sessions_app.models import Team, User
from sessions_app.people.tokens import Scope, issue_token
from sessions_app.realtime.streams import numbers_of
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.messaging.inbox.test_inbox_pages import HTMX, as_
from tests.messaging.push.test_frames import Changes, frame, reader_of
from tests.queries import queries

pytestmark = pytest.mark.django_db

NAME, NOTE = "Vip Li Na", "owes us money"
LINA = "lina@im.wechat"


@pytest.fixture
def both(cast: Cast) -> tuple[Conversation, Conversation]:
    """Li Na wrote to a shop of each team; only ours has named her."""
    receive(make_session("Shop A", team=cast.team), text_message("hello"))
    receive(make_session("Shop B", team=cast.other_team), text_message("good day"), cursor="b")
    say(cast.team, NAME, NOTE)
    ours = Conversation.objects.get(team=cast.team)
    return ours, Conversation.objects.get(team=cast.other_team)


def say(team: Team, name: str | None = None, note: str | None = None) -> None:
    contact = Contact.objects.get(user_id=LINA)
    if name is not None:
        services.rename_contact(contact=contact, team_id=team.pk, name=name, user=None)
    if note is not None:
        services.write_contact_note(contact=contact, team_id=team.pk, note=note, user=None)


def doors(user: User, conversation: Conversation) -> Iterator[tuple[str, str]]:
    """Every place that shows a name or a note, and what it says there."""
    client, api, pk = as_(user), Client(), conversation.pk
    _token, secret = issue_token(owner=user, name="t", scopes=list(Scope))
    own = f"team:{conversation.team_id}:0"
    for address in (
        "/inbox/",
        f"/inbox/{pk}/",
        f"/inbox/{pk}/name/?slot=head",
        f"/inbox/{pk}/name/?cancel",
        f"/inbox/{pk}/note/",
        f"/inbox/{pk}/note/?cancel",
        f"/inbox/changes/?open={pk}&since={own}",
        f"/inbox/work/assign/?ids={pk}&single=1",
        "/inbox/?q=lina",
    ):
        yield address, client.get(address, headers=HTMX).content.decode()
    yield "page", client.get(f"/inbox/{pk}/").content.decode()
    for address in (f"/contacts/{LINA}", f"/conversations/{pk}", "/conversations"):
        answer = api.get(f"/api/v1{address}", headers={"authorization": f"Bearer {secret}"})
        yield address, answer.content.decode()


def test_no_door_of_another_team_shows_them(
    cast: Cast, both: tuple[Conversation, Conversation]
) -> None:
    ours, theirs = both
    for address, words in doors(cast.agent_elsewhere, theirs):
        assert not [one for one in (NAME, NOTE) if one in words], address
    shown = dict(doors(cast.agent, ours))
    assert [address for address, words in shown.items() if NAME not in words] == [
        f"/inbox/{ours.pk}/note/",
        f"/inbox/{ours.pk}/note/?cancel",
    ]
    assert [address for address, words in shown.items() if NOTE in words] == [
        f"/inbox/{ours.pk}/note/",
        f"/inbox/{ours.pk}/note/?cancel",
        f"/inbox/changes/?open={ours.pk}&since=team:{ours.team_id}:0",
        "page",
        f"/contacts/{LINA}",
    ]


def test_a_team_writes_over_its_own_only(
    cast: Cast, both: tuple[Conversation, Conversation]
) -> None:
    _ours, theirs = both
    client = as_(cast.agent_elsewhere)
    client.post(f"/inbox/{theirs.pk}/name/", {"name": "Mrs Li"})
    client.post(f"/inbox/{theirs.pk}/note/", {"note": "pays at once", "seen": ""})
    words = {
        one.team_id: (one.contact_name, one.contact_words.note)
        for one in Conversation.objects.select_related("contact", "team_contact")
    }
    assert words == {
        cast.team.pk: (NAME, NOTE),
        cast.other_team.pk: ("Mrs Li", "pays at once"),
    }


@pytest.mark.parametrize("query", ["vip", "VIP li", "vln", "na vip 0001"])
def test_a_name_finds_conversations_of_its_team_only(
    cast: Cast, both: tuple[Conversation, Conversation], query: str
) -> None:
    ours, _theirs = both
    say(cast.team, "维李娜 vip" if query == "vln" else NAME)
    assert not people_named(cast.agent_elsewhere, query)
    listed = as_(cast.agent_elsewhere).get("/inbox/", {"q": query}).context["rows"]
    assert not listed
    if query != "vln":
        assert people_named(cast.agent, query) == [ours]


def test_number_and_wechat_id_find_her_in_every_team(
    cast: Cast, both: tuple[Conversation, Conversation]
) -> None:
    ours, theirs = both
    for query in ("0001", "lina@", "customer 0001"):
        assert people_named(cast.agent, query) == [ours]
        assert people_named(cast.agent_elsewhere, query) == [theirs]


def test_another_team_is_not_even_told_that_something_changed(
    cast: Cast, both: tuple[Conversation, Conversation]
) -> None:
    before = numbers_of([cast.other_team.stream_key])
    say(cast.team, "Someone else", "more")
    assert numbers_of([cast.other_team.stream_key]) == before


def test_frames_of_each_team_carry_its_own_words(
    cast: Cast, both: tuple[Conversation, Conversation]
) -> None:
    say(cast.other_team, "Mrs Li")
    for team, user, name, other in (
        (cast.team, cast.agent, NAME, "Mrs Li"),
        (cast.other_team, cast.agent_elsewhere, "Mrs Li", NAME),
    ):
        session = Conversation.objects.get(team=team).session
        assert session is not None
        changes = Changes(team)
        changes.readers = [reader_of(user)]
        with changes:
            receive(session, text_message("again"), cursor="z")
        loaded = changes.loaded(InboxContent())
        html = frame(loaded, changes.readers[0])["html"]
        assert name in html
        assert other not in html
        [heard] = heard_since(user, {team.stream_key: changes.start})
        assert heard.who == name


def test_who_is_in_both_teams_sees_the_words_of_each_conversations_team(
    cast: Cast, both: tuple[Conversation, Conversation]
) -> None:
    cast.agent.teams.add(cast.other_team)
    say(cast.other_team, "Mrs Li")
    ours, theirs = both
    client = as_(User.objects.get(pk=cast.agent.pk))
    page = client.get("/inbox/").content.decode()
    assert NAME in page
    assert "Mrs Li" in page
    for one, name, other in ((ours, NAME, "Mrs Li"), (theirs, "Mrs Li", NAME)):
        pane = client.get(f"/inbox/{one.pk}/name/?cancel", headers=HTMX).content.decode()
        assert name in pane
        assert other not in pane


def test_after_a_transfer_the_new_teams_words_are_shown_and_ours_are_kept(
    cast: Cast, both: tuple[Conversation, Conversation]
) -> None:
    ours, _theirs = both
    say(cast.other_team, "Mrs Li")
    work.transfer(ids=[ours.pk], team=cast.other_team, user=cast.agent)
    assert Conversation.objects.get(pk=ours.pk).contact_name == "Mrs Li"
    for address, words in doors(cast.agent_elsewhere, Conversation.objects.get(pk=ours.pk)):
        assert not [one for one in (NAME, NOTE) if one in words], address
    work.transfer(ids=[ours.pk], team=cast.team, user=cast.supervisor)
    again = Conversation.objects.get(pk=ours.pk)
    assert (again.contact_name, again.contact_words.note) == (NAME, NOTE)


def test_names_cost_no_statement_per_row(
    cast: Cast, both: tuple[Conversation, Conversation]
) -> None:
    client = as_(cast.agent)
    client.get("/inbox/")
    with queries() as few:
        client.get("/inbox/")
    session = both[0].session
    assert session is not None
    for number in range(9):
        receive(session, text_message("hi", sender=f"p{number}@im.wechat"), cursor=str(number))
    with queries() as many:
        client.get("/inbox/")
    assert len(many) == len(few)


def test_an_unnamed_contact_has_no_row(cast: Cast, both: tuple[Conversation, Conversation]) -> None:
    assert list(TeamContact.objects.values_list("team", flat=True)) == [cast.team.pk]
    assert both[1].contact_name == "Customer 0001"
    assert timezone.now() >= both[1].contact.created_at
