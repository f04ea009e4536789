"""The contract's routing rule, without a database."""

from datetime import UTC, datetime, timedelta

from messaging.reply_window.reply_route import Candidate, find_route, likely_cause, text_problem
from sessions_app.team_settings.limits import TeamSettings

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def _one(name: str, hours_ago: float = 1, **changes: object) -> Candidate:
    values: dict[str, object] = {
        "session_id": len(name),
        "name": name,
        "may_send": True,
        "has_token": True,
        "received_at": NOW - timedelta(hours=hours_ago),
        "replies_used": 0,
    }
    return Candidate(**{**values, **changes})  # type: ignore[arg-type]


def test_the_newest_context_answers() -> None:
    route = find_route([_one("Shop", 5), _one("Repairs", 1)], now=NOW)
    assert route.chosen is not None
    assert (route.chosen.name, route.code) == ("Repairs", "")


def test_the_newest_decides_even_when_it_is_not_usable_and_others_are_offered() -> None:
    route = find_route(
        [_one("Shop", 5), _one("Old", 30), _one("Mine", 3), _one("Newest", 1, may_send=False)],
        now=NOW,
    )
    assert route.code == "session_offline"
    assert route.offer == ["Mine", "Shop"]


def test_a_named_session_is_taken_or_refused_never_replaced() -> None:
    both = [_one("Shop", 30), _one("Repairs", 1)]
    assert find_route(both, now=NOW, session_name="Repairs").code == ""
    refused = find_route(both, now=NOW, session_name="Shop")
    assert (refused.code, refused.offer) == ("window_closed", ["Repairs"])
    assert find_route(both, now=NOW, session_name="Nobody").code == "no_context"


def test_the_window_is_24_hours_from_the_persons_last_message() -> None:
    assert find_route([_one("Shop", 23.999)], now=NOW).code == ""
    assert find_route([_one("Shop", 24)], now=NOW).code == "window_closed"


def test_ten_replies_are_the_count_of_one_token() -> None:
    assert find_route([_one("Shop", replies_used=9)], now=NOW).code == ""
    assert find_route([_one("Shop", replies_used=10)], now=NOW).code == "quota_exhausted"
    assert find_route([_one("Shop", replies_used=9)], now=NOW, cost=2).code == "quota_exhausted"


def test_our_own_count_can_be_overridden_a_dead_session_cannot() -> None:
    assert find_route([_one("Shop", replies_used=10)], now=NOW, override=True).code == ""
    assert find_route([_one("Shop", 25)], now=NOW, override=True).code == ""
    offline = find_route([_one("Shop", may_send=False)], now=NOW, override=True)
    assert offline.code == "session_offline"


def test_nobody_who_never_wrote_can_be_written_to() -> None:
    assert find_route([], now=NOW).code == "no_context"
    assert find_route([_one("Shop", has_token=False)], now=NOW).code == "no_context"


def test_text_is_measured_in_bytes() -> None:
    assert text_problem("  \n") == "empty"
    assert text_problem("字" * 5461) == ""
    assert text_problem("字" * 5462) == "text_too_long"


def test_a_refusal_names_the_cause_that_our_figures_support() -> None:
    def cause(**changes: object) -> str:
        values: dict[str, object] = {
            "text": "hi", "used_before": 3, "closes_at": NOW + timedelta(hours=1),
            "recent_sends": 1, "now": NOW, "limits": TeamSettings(),
        }  # fmt: skip
        return likely_cause(**{**values, **changes})  # type: ignore[arg-type]

    assert cause() == "no_reason"
    assert cause(used_before=10) == "quota_exhausted"
    assert cause(closes_at=NOW) == "window_closed"
    assert cause(recent_sends=12) == "too_fast"
    assert cause(text="字" * 6000) == "text_too_long"
