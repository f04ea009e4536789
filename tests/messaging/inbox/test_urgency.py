"""How pressing the end of a reply window is, and that server, page and every length agree."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.template.loader import render_to_string
from django.utils import timezone, translation

from messaging.inbox import row_presentation
from messaging.inbox.views.panes import Left
from messaging.reply_window.urgency import NEAR_SHARE, NOW_S, SOON_S, Closing, urgency
from sessions_app.templatetags.console import chip

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (24 * 3_600, ""), (3_601, ""), (3_600, "soon"), (601, "soon"), (600, "now"), (1, "now"),
        (0, ""), (-5, ""),
    ],
)  # fmt: skip
def test_the_last_hour_is_soon_and_the_last_ten_minutes_are_now(seconds: int, said: str) -> None:
    assert urgency(seconds) == said


def test_the_page_counts_by_the_same_figures() -> None:
    script = (ROOT / "static" / "js" / "page" / "clock.js").read_text()
    figures = dict(re.findall(r"const (SOON_S|NOW_S|NEAR_SHARE) = ([0-9_]+);", script))
    assert {name: int(value) for name, value in figures.items()} == {
        "SOON_S": SOON_S,
        "NOW_S": NOW_S,
        "NEAR_SHARE": NEAR_SHARE,
    }


@pytest.mark.parametrize(("hours", "near", "far"), [(24, 2.9, 3.1), (12, 1.4, 1.6), (48, 5.9, 6.1)])
def test_a_window_of_any_length_is_near_its_end_in_its_last_eighth(
    hours: int, near: float, far: float
) -> None:
    window = timedelta(hours=hours)
    for left, is_near in ((near, True), (far, False)):
        made = row_presentation.window_chip(NOW + timedelta(hours=left), NOW, window=window)
        assert (made.tone == "warn") is is_near
        assert ("data-near" in chip(made)) is is_near
        assert f'data-window-s="{hours * 3_600}"' in chip(made)


@pytest.mark.parametrize(("minutes", "mark"), [(61, ""), (42, "soon"), (7, "now")])
def test_row_head_and_composer_are_marked_alike_with_the_clock_time(
    minutes: int, mark: str
) -> None:
    closes_at, window = NOW + timedelta(minutes=minutes), timedelta(hours=12)
    with timezone.override(ZoneInfo("Asia/Shanghai")), translation.override("en"):
        left = Left.of(closes_at, NOW, window)
        context = {"left": left, "quota": {"usable": True, "replies_left": 3, "replies_limit": 7}}
        shown = [
            chip(row_presentation.window_chip(closes_at, NOW, window=window)),
            render_to_string("conversation/_head_sub.html", context),
            render_to_string("composer/_quota.html", context),
        ]
    at = timezone.localtime(closes_at, ZoneInfo("Asia/Shanghai")).strftime("%H:%M")
    for markup in shown:
        assert re.findall(r'data-urgency="(\w+)"', markup) == ([mark] if mark else [])
        assert at in markup
    assert 'max="43200"' in shown[2]


def test_a_window_that_has_closed_is_not_counted_down() -> None:
    assert Left.of(NOW, NOW, timedelta(hours=24)) is None
    assert "data-window-until" not in chip(row_presentation.window_chip(NOW, NOW))
    assert Closing(NOW, timedelta(0), timedelta(hours=24)).urgency == ""
