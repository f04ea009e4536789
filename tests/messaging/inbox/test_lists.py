"""Views, filters, sorts, pages and news of the list: one condition for all of them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging.conversations import work
from messaging.inbox import list_conditions, list_counts, list_queries
from messaging.inbox.lists import NOBODY, Listing, Sort, View, row_key, segments
from messaging.models import Conversation, Mention, Message
from messaging.replying import services
from sessions_app.models import Session, SessionState, User
from sessions_app.realtime.streams import numbers_of
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply

pytestmark = pytest.mark.django_db

NOTHING_ANYWHERE = list_counts.Counts(dict.fromkeys(View, 0), waiting=0, unread=0)


@pytest.fixture
def shop(cast: Cast) -> Session:
    return make_session("Shop A")


def write(shop: Session, *people: str) -> list[Conversation]:
    """Each of them wrote, one after the other."""
    for person in people:
        receive(shop, text_message(f"from {person}", sender=f"{person}@im.wechat"), cursor=person)
    rows = {one.contact.user_id: one for one in Conversation.objects.select_related("contact")}
    return [rows[f"{person}@im.wechat"] for person in people]


def shown(user: User, view: View = View.ALL, **filters: Any) -> list[str]:
    """Who is in the list, in its order, read two rows a page."""
    listing, now = Listing(view, **filters), timezone.now()
    rows: list[Conversation] = []
    place: str | None = None
    while True:
        page = list_queries.conversation_page(user, listing, now=now, before=place, limit=2)
        rows += page.rows
        place = page.next
        if place is None:
            break
    keys = [row_key(row, listing.sort, now=now) for row in rows]
    assert keys == sorted(keys, reverse=True), "the page would sort the rows otherwise"
    assert len(rows) == list_counts.count(user, listing, now=now)
    return [row.contact.user_id.partition("@")[0] for row in rows]


# Views


def test_each_view_shows_its_own_and_its_count_is_the_number_of_its_rows(
    cast: Cast, shop: Session
) -> None:
    mine, free, answered, missed, asleep, done, _closed = write(
        shop, "mine", "free", "answered", "missed", "asleep", "done", "closed"
    )
    work.assign(ids=[mine.pk], assignee=cast.agent, user=cast.agent)
    send_reply(user=cast.agent, conversation=answered, text="hi", draft_key="1")
    send_reply(user=cast.agent, conversation=done, text="hi", draft_key="1")
    work.resolve(ids=[missed.pk, done.pk], user=cast.agent)
    until = timezone.now() + timedelta(hours=1)
    work.snooze(ids=[asleep.pk], until=until, user=cast.agent)
    note = Message.objects.filter(conversation=free).earliest("id")
    Mention.objects.create(conversation=free, user=cast.agent, message=note)
    over = timezone.now() - timedelta(minutes=1)
    Conversation.objects.filter(contact__user_id="closed@im.wechat").update(closes_at=over)

    expected = {
        View.MINE: ["mine"],
        View.UNASSIGNED: ["free", "closed", "answered"],
        View.NEEDS_REPLY: ["mine", "free"],
        View.NOT_SENT: [],
        View.MISSED: ["missed"],
        View.MENTIONS: ["free"],
        View.SNOOZED: ["asleep"],
        View.RESOLVED: ["done", "missed"],
        View.ALL: ["done", "answered", "closed", "asleep", "missed", "free", "mine"],
    }
    for view, people in expected.items():
        assert shown(cast.agent, view) == people, view
    counted = list_counts.counts(cast.agent, now=timezone.now())
    assert counted.views == {view: len(people) for view, people in expected.items()}
    assert counted.waiting == 2
    assert counted.unread == Conversation.objects.filter(unread__gt=0).count() > 0
    elsewhere = list_counts.counts(cast.agent_elsewhere, now=timezone.now())
    assert elsewhere == NOTHING_ANYWHERE


@pytest.mark.parametrize("state", [SessionState.EXPIRED, SessionState.LOGGED_OUT])
def test_who_cannot_be_answered_through_a_dead_session_needs_no_reply_now(
    cast: Cast, shop: Session, state: str
) -> None:
    write(shop, "anna")
    Session.objects.update(state=state)
    assert shown(cast.agent, View.NEEDS_REPLY) == []
    assert shown(cast.agent, View.UNASSIGNED) == ["anna"]


def test_a_mention_that_was_seen_is_none_any_more(cast: Cast, shop: Session) -> None:
    (conversation,) = write(shop, "anna")
    note = Message.objects.earliest("id")
    Mention.objects.create(conversation=conversation, user=cast.agent, message=note)
    assert shown(cast.agent, View.MENTIONS) == ["anna"]
    assert shown(cast.supervisor, View.MENTIONS) == []
    Mention.objects.update(seen_at=timezone.now())
    assert shown(cast.agent, View.MENTIONS) == []


def test_who_is_in_no_team_sees_empty_lists(cast: Cast, shop: Session) -> None:
    write(shop, "anna")
    cast.agent.teams.clear()
    for view in View:
        assert shown(cast.agent, view) == []
    assert list_counts.counts(cast.agent, now=timezone.now()) == NOTHING_ANYWHERE


def test_counting_ends_one_above_what_is_shown(cast: Cast, shop: Session) -> None:
    write(shop, *"abcde")
    now = timezone.now()
    assert list_counts.count(cast.agent, Listing(), now=now, up_to=3) == 4
    assert list_counts.count(cast.agent, Listing(), now=now, up_to=9) == 5


# Filters


@pytest.mark.parametrize("rare", [0, 3_000])
def test_filters_narrow_a_view_each_and_together(
    cast: Cast, shop: Session, rare: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rare labels and frequent ones are read differently, and must say the same."""
    monkeypatch.setattr(list_conditions, "RARE", rare)
    other = make_session("Shop B")
    anna, bob = write(shop, "anna", "bob")
    (carl,) = write(other, "carl")
    work.label(ids=[anna.pk, carl.pk], add=["VIP"], user=cast.agent)
    work.label(ids=[bob.pk], add=["late"], user=cast.agent)
    work.assign(ids=[anna.pk, bob.pk], assignee=cast.agent, user=cast.agent)
    assert shown(cast.agent, label="VIP") == ["carl", "anna"]
    assert shown(cast.agent, session="Shop A") == ["bob", "anna"]
    assert shown(cast.agent, agent="wei") == ["bob", "anna"]
    assert shown(cast.agent, agent=NOBODY) == ["carl"]
    assert shown(cast.agent, label="VIP", session="Shop A", agent="wei") == ["anna"]
    assert shown(cast.agent, words="ARL@") == ["carl"]
    assert shown(cast.agent, words="carl@im.wechat") == ["carl"]
    for name in ("label", "session", "agent", "words"):
        for user in (cast.agent, cast.administrator):
            assert shown(user, **{name: "?"}) == [], name  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "searches"),
    [
        ("Мария Иванова", ["мария", "ИВАНОВА", "иванова мария"]),
        ("Éva Kovács", ["éva", "EVA", "kovacs", "e\u0301va"]),
        ("Straße Ａ１", ["STRASSE", "a1", "straße"]),
        ("İpek Çelik", ["ipek", "celik"]),
        ("李\u200b娜", ["李娜"]),
        ("العربية", ["العربية", "\u202eالعربية"]),
    ],
)
def test_people_are_found_whatever_case_width_or_accents(
    cast: Cast, shop: Session, name: str, searches: list[str]
) -> None:
    (conversation,) = write(shop, "someone")
    write(shop, "another")
    services.rename_contact(
        contact=conversation.contact, team_id=conversation.team_id, name=name, user=None
    )
    for words in searches:
        assert shown(cast.agent, words=words) == ["someone"], words
    assert shown(cast.agent, words="\u200b") == []


def test_a_nameless_person_is_found_by_number_in_every_language(cast: Cast, shop: Session) -> None:
    (conversation,) = write(shop, "nameless")
    number = f"{conversation.contact.number:04d}"
    for words in (number, f"customer {number}", f"客户{number}", f"CUSTOMER {number}"):
        assert shown(cast.agent, words=words) == ["nameless"], words


def test_an_address_says_the_list_and_only_what_is_unusual() -> None:
    text = {"view": "needs_reply", "session": "Shop A · 小店", "label": "VIP", "sort": "newest"}
    listing = Listing.parse({**text, "agent": "-", "q": " li "})
    assert Listing.parse(dict(listing.pairs)) == listing
    assert (listing.words, listing.agent, listing.sort) == ("li", "-", Sort.NEWEST)
    assert Listing.parse({"view": "needs_reply", "sort": "waiting"}).query == "view=needs_reply"
    assert Listing.parse({"view": "all"}).query == ""


@pytest.mark.parametrize("query", [{"view": "x", "sort": "y"}, {"q": "\0"}, {"session": "\0"}])
def test_what_an_old_bookmark_says_shows_more_and_never_an_error(
    cast: Cast, shop: Session, query: dict[str, str]
) -> None:
    assert Listing.parse(query) == Listing()


# Sorts


def test_the_longest_waiting_stand_first_and_then_the_newest(cast: Cast, shop: Session) -> None:
    first, second, *_ = write(shop, "first", "second", "third")
    send_reply(user=cast.agent, conversation=first, text="hi", draft_key="1")
    write(shop, "second")
    assert shown(cast.agent, chosen_sort=Sort.WAITING) == ["second", "third", "first"]
    work.resolve(ids=[second.pk], user=cast.agent)
    assert shown(cast.agent, chosen_sort=Sort.WAITING) == ["third", "second", "first"]


def test_the_closing_soonest_stand_first_and_the_closed_last(cast: Cast, shop: Session) -> None:
    now = timezone.now()
    for conversation, hours in zip(write(shop, *"abcd"), (5, 1, -2, 3), strict=True):
        closes_at = now + timedelta(hours=hours)
        Conversation.objects.filter(pk=conversation.pk).update(closes_at=closes_at)
    assert shown(cast.agent, chosen_sort=Sort.CLOSING) == ["b", "d", "a", "c"]


@pytest.mark.parametrize("sort", list(Sort))
def test_pages_go_on_where_moments_are_equal(cast: Cast, shop: Session, sort: Sort) -> None:
    write(shop, *"abcdefg")
    now = timezone.now()
    Conversation.objects.update(last_at=now, waiting_since=now, closes_at=now + timedelta(hours=2))
    assert sorted(shown(cast.agent, chosen_sort=sort)) == list("abcdefg")


def test_the_stretches_of_a_sort_hold_every_row_once(cast: Cast, shop: Session) -> None:
    conversations, now = write(shop, *"abcd"), timezone.now()
    Conversation.objects.filter(pk=conversations[0].pk).update(closes_at=None, waiting_since=None)
    Conversation.objects.filter(pk=conversations[1].pk).update(closes_at=now, missed_at=now)
    for sort in Sort:
        parts = segments(sort, now=now)
        found = [Conversation.objects.filter(part.condition).count() for part in parts]
        assert sum(found) == 4, sort


def test_of_several_teams_the_list_is_one_in_order(cast: Cast, shop: Session) -> None:
    other = make_session("Elsewhere", team=cast.other_team)
    write(shop, "a")
    write(other, "b")
    write(shop, "c")
    write(other, "d")
    for sort, people in ((Sort.NEWEST, "dcba"), (Sort.WAITING, "abcd")):
        assert "".join(shown(cast.administrator, chosen_sort=sort)) == people
    assert shown(cast.agent) == ["c", "a"]


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "0~x~1", "0~2026-01-01T00:00:00~1", "7~2026-01-01T00:00:00+00:00~1",
     "0~0001-01-01T00:00:00+14:00~1", "0~2026-01-01T00:00:00+00:00~" + "9" * 30],
)  # fmt: skip
def test_what_no_list_gave_is_no_place(cursor: str) -> None:
    assert list_queries.parse_place(cursor) is None


# News


def news(user: User, view: View, since: dict[str, int]) -> tuple[set[int], set[int]]:
    found = list_queries.list_news(user, Listing(view), since, now=timezone.now(), limit=50)
    return {row.pk for row in found.rows}, set(found.gone)


def test_news_bring_what_came_into_the_list_and_name_what_left_it(
    cast: Cast, shop: Session
) -> None:
    anna, bob = write(shop, "anna", "bob")
    since = numbers_of([cast.team.stream_key])
    send_reply(user=cast.agent, conversation=anna, text="hi", draft_key="1")
    assert news(cast.agent, View.NEEDS_REPLY, since) == (set(), {anna.pk})
    assert news(cast.agent, View.UNASSIGNED, since) == ({anna.pk}, set())
    write(shop, "bob")
    assert news(cast.agent, View.NEEDS_REPLY, since) == ({bob.pk}, {anna.pk})


def test_news_name_what_left_for_a_team_that_the_reader_does_not_see(
    cast: Cast, shop: Session
) -> None:
    (anna,) = write(shop, "anna")
    since = numbers_of([cast.team.stream_key, cast.other_team.stream_key])
    work.transfer(ids=[anna.pk], team=cast.other_team, user=cast.agent)
    assert news(cast.agent, View.ALL, since) == (set(), {anna.pk})
    assert news(cast.agent_elsewhere, View.ALL, since) == ({anna.pk}, set())
    assert news(cast.administrator, View.ALL, since) == ({anna.pk}, set())
    work.transfer(ids=[anna.pk], team=cast.team, user=cast.administrator)
    assert news(cast.agent, View.ALL, since) == ({anna.pk}, set())


def test_a_label_and_an_assignment_are_news(cast: Cast, shop: Session) -> None:
    (anna,) = write(shop, "anna")
    since = numbers_of([cast.team.stream_key])
    work.label(ids=[anna.pk], add=["VIP"], user=cast.agent)
    assert news(cast.agent, View.ALL, since)[0] == {anna.pk}
    since = numbers_of([cast.team.stream_key])
    assert news(cast.agent, View.ALL, since)[0] == set()
    work.assign(ids=[anna.pk], assignee=cast.agent, user=cast.agent)
    assert news(cast.agent, View.ALL, since)[0] == {anna.pk}


def test_a_row_keeps_its_key_in_every_zone(cast: Cast, shop: Session) -> None:
    (row,) = write(shop, "anna")
    now: datetime = timezone.now()
    key = row_key(row, Sort.NEWEST, now=now)
    with timezone.override("Asia/Shanghai"):
        assert row_key(row, Sort.NEWEST, now=now) == key
