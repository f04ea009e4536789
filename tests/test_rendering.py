"""Pages take the same time at whatever depth of the stack they are drawn."""

import time
from collections.abc import Callable

import pytest
from django.http import HttpRequest
from django.template import engines
from django.template.loader import get_template

from weilink_site.pages.rendering import with_room

CALLS, DEPTHS = 500, 300


def leaf() -> None:
    pass


# So much of the stack that no border lies beside it by luck.
leaf.__code__ = leaf.__code__.replace(co_stacksize=200)


def ns_per_call() -> float:
    began = time.perf_counter_ns()
    for _ in range(CALLS):
        leaf()
    return (time.perf_counter_ns() - began) / CALLS


def deeper(depth: int) -> float:
    return deeper(depth - 1) if depth else min(ns_per_call() for _ in range(5))


def test_with_room_no_depth_makes_calls_slow() -> None:
    """Without it, a call at the border of two pieces takes a hundred times as long."""
    roomy: Callable[[int], float] = with_room(deeper)
    took = sorted(roomy(depth) for depth in range(DEPTHS))
    assert took[-5] < 10 * took[DEPTHS // 2]


def test_every_template_is_drawn_with_room() -> None:
    needs = {
        template.render.__code__.co_stacksize
        for template in (
            get_template("errors/console.html"),
            engines["django"].from_string("{{ word }}"),
        )
    }
    assert min(needs) * 8 > 256 * 1024


def test_what_is_drawn_is_what_django_draws() -> None:
    template = engines["django"].from_string("{{ word }} {{ request.path }}")
    request = HttpRequest()
    request.path = "/inbox/"
    assert template.render({"word": "<b>"}, request) == "&lt;b&gt; /inbox/"
    assert template.render({"word": "b"}) == "b "


def test_what_fails_says_so_as_before() -> None:
    def fails(what: str) -> None:
        raise LookupError(what)

    with pytest.raises(LookupError, match="nothing there"):
        with_room(fails)("nothing there")
