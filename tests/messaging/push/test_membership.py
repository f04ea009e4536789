"""Whether a row belongs in a list is the same without a query as by the list's own condition."""

import random
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from messaging.conversations.finding import folded_contact, folded_name
from messaging.inbox.list_conditions import mute_sessions
from messaging.inbox.list_membership import Facts, belongs
from messaging.inbox.list_queries import matching, whole_rows
from messaging.inbox.lists import NOBODY, Listing, View
from messaging.models import Contact, Conversation, ConversationStatus, Label, TeamContact
from messaging.replying import notes
from sessions_app.models import Session, SessionState, User
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message

pytestmark = pytest.mark.django_db

MANY = 150
NAMES = ("Éva Szabó", "мария", "李娜", "Tom Baker", "", "o'Hara 42")
WORDS = (
    "",
    "eva",
    "МАРИЯ",
    "李",
    "tom baker",
    "baker tom",
    "42",
    "customer 0003",
    "客户 3",
    "@",
    "%",
)


def make_rows(cast: Cast, chance: random.Random, now: datetime) -> None:
    """Conversations in every state, drawn by chance; seven sessions, of which some cannot send."""
    states = list(SessionState)
    sessions: list[Session | None] = [None]
    for number in range(7):
        session = make_session(f"Shop {number}")
        session.state = chance.choice(states)
        session.save()
        sessions.append(session)
    labels = [Label.objects.create(team=cast.team, name=name) for name in ("vip", "VIP", "late")]
    for number in range(MANY):
        contact = Contact(user_id=f"u{number}@im.wechat", number=number + 100)
        contact.folded = folded_contact(contact)
        contact.save()
        for team in chance.sample([cast.team, cast.other_team], chance.randint(0, 2)):
            name = chance.choice(NAMES)
            TeamContact.objects.create(
                contact=contact, team=team, name=name, folded=folded_name(name)
            )
        row = Conversation.objects.create(
            contact=contact,
            home_team=cast.team,
            team=cast.team,
            session=chance.choice(sessions),
            status=chance.choice(ConversationStatus.values),
            assignee=chance.choice([None, cast.agent, cast.supervisor]),
            waiting_since=chance.choice([None, now]),
            missed_at=chance.choice([None, None, now]),
            closes_at=chance.choice([None, now, now + timedelta(hours=1), now - timedelta(1)]),
            not_sent=chance.choice([0, 0, 2]),
        )
        row.labels.set(chance.sample(labels, chance.randint(0, 3)))
        for user in chance.sample([cast.agent, cast.supervisor], chance.randint(0, 1)):
            notes.write_note(
                user=cast.administrator, conversation=row, text=f"@{user.username}", draft_key=""
            )
            row.mentions.update(seen_at=chance.choice([None, now]))


def draw_listing(chance: random.Random) -> Listing:
    return Listing(
        view=chance.choice(list(View)),
        session=chance.choice(["", "", "Shop 1", "Shop 2", "shop 1", "nowhere"]),
        label=chance.choice(["", "", "vip", "VIP", "none"]),
        agent=chance.choice(["", "", NOBODY, "wei", "sue", "WEI", "who"]),
        words=chance.choice(WORDS),
        status=chance.choice(["", "", "open"]),
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_facts_and_query_agree(cast: Cast, seed: int) -> None:
    chance, now = random.Random(seed), timezone.now()
    first = make_session("First")
    receive(first, text_message("one"), text_message("two", sender="b@im.wechat"))
    make_rows(cast, chance, now)
    rows = list(whole_rows(Conversation.objects.all()))
    mute = mute_sessions()
    facts = [Facts.of(row, mute=mute, mentioned=_mentioned(row)) for row in rows]
    shown_at_all = 0
    for _ in range(150):
        listing = draw_listing(chance)
        reader: User = chance.choice([cast.agent, cast.supervisor])
        by_query = set(matching(reader, listing, now=now).values_list("pk", flat=True))
        by_facts = {
            one.conversation.pk
            for one in facts
            if belongs(one, listing, reader_id=reader.pk, now=now)
        }
        assert by_facts == by_query, listing
        shown_at_all += len(by_query)
    assert shown_at_all > 50


def _mentioned(row: Conversation) -> set[int]:
    return set(row.mentions.filter(seen_at=None).values_list("user", flat=True))
