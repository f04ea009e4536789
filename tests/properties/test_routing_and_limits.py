"""Route, window, quota and pace: their rules hold whatever the order of events was."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.reply_window.pace import QUIET, pace_of
from sessions_app.sessions.routing import OVERRIDABLE, WINDOW, Candidate, find_route

pytestmark = pytest.mark.properties

NOW = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)
SPAN = timedelta(minutes=5)
COUNT = 12
ages = st.integers(min_value=0, max_value=30 * 3600).map(lambda s: timedelta(seconds=s))


@st.composite
def candidate_lists(draw: st.DrawFn) -> list[Candidate]:
    """Sessions with a context of one person; no two of them heard that person at one moment."""
    found = draw(st.lists(ages, max_size=5, unique=True))
    return [
        Candidate(
            session_id=number,
            name=f"Shop {number}",
            may_send=draw(st.booleans()),
            has_token=draw(st.booleans()),
            received_at=NOW - age,
            replies_used=draw(st.integers(0, 12)),
        )
        for number, age in enumerate(found)
    ]


def _is_usable(one: Candidate) -> bool:
    is_open = NOW - one.received_at < WINDOW
    return one.may_send and one.has_token and is_open and one.replies_used < one.limit


def _newest_first(candidates: Sequence[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda one: one.received_at, reverse=True)


@given(candidate_lists(), st.randoms(use_true_random=False))
def test_the_newest_token_decides_usable_or_not(
    candidates: list[Candidate], random: object
) -> None:
    random.shuffle(candidates)  # type: ignore[attr-defined]
    route = find_route(candidates, now=NOW)
    newest = _newest_first(candidates)
    assert route.chosen == (newest[0] if newest else None)
    assert (route.code == "") == (bool(newest) and _is_usable(newest[0]))
    usable = [one.name for one in newest if _is_usable(one)]
    assert route.offer == (usable if route.code else [])


@given(candidate_lists(), st.integers(0, 5), st.booleans())
def test_a_named_session_is_taken_or_refused_never_replaced(
    candidates: list[Candidate], number: int, override: bool
) -> None:
    name = f"Shop {number}"
    route = find_route(candidates, now=NOW, session_name=name, override=override)
    if route.chosen is None:
        assert route.code == "no_context"
        assert name not in {one.name for one in candidates}
    else:
        assert route.chosen.name == name
        assert name not in route.offer
    if override:
        assert route.code not in OVERRIDABLE


@given(candidate_lists(), st.integers(1, 12))
def test_what_a_route_allows_fits_window_and_quota(candidates: list[Candidate], cost: int) -> None:
    route = find_route(candidates, now=NOW, cost=cost)
    if route.code or route.chosen is None:
        return
    assert route.chosen.closes_at() > NOW
    assert route.chosen.replies_used + cost <= route.chosen.limit


times = st.lists(st.integers(-900, 900).map(lambda s: NOW - timedelta(seconds=s)), max_size=40)


@given(times, st.none() | st.integers(0, 900), st.randoms(use_true_random=False))
def test_the_pace_does_not_depend_on_the_order_and_opens_when_it_says(
    sends: list[datetime], refused_s: int | None, random: object
) -> None:
    refused_at = None if refused_s is None else NOW - timedelta(seconds=refused_s)

    def pace(now: datetime, known: Sequence[datetime]) -> datetime | None:
        return pace_of(known, refused_at=refused_at, now=now, count=COUNT, span=SPAN).opens_at

    opens_at = pace(NOW, sends)
    shuffled = list(sends)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert pace(NOW, shuffled) == opens_at
    counted = [at for at in sends if NOW - SPAN < at < NOW + SPAN]
    is_refused = refused_at is not None and refused_at + SPAN + QUIET > NOW
    assert (opens_at is not None) == (len(counted) >= COUNT or is_refused)
    if opens_at is not None:
        past = [at for at in sends if at <= NOW]
        later = pace(opens_at, past)
        assert later is None or later <= opens_at or len(past) > COUNT
