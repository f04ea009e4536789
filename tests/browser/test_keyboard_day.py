"""An agent at the keys: many conversations in one go, while others go on writing."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.contexts import Take
from tests.browser.demo_process import Demo
from tests.browser.keyboard import Street, needs_reply
from tests.browser.shop import bound_shop
from tests.browser.until import until

pytestmark = pytest.mark.browser

CHORD = "Control+Shift+Enter"


@pytest.fixture(scope="module")
def street(take_for_all: Take, demo: Demo) -> Street:
    page = take_for_all().new_page()
    bound_shop(page, demo)
    page.close()
    return Street(demo)


@pytest.fixture
def page(context: BrowserContext, demo: Demo, street: Street) -> Page:
    page = context.new_page()
    bound_shop(page, demo)
    return page


def _in_line(page: Page, demo: Demo, street: Street, prefix: str, count: int) -> list[str]:
    """So many people wait for an answer, each with one question; in the order of the list."""
    street.resolve_all()
    names = street.people(prefix, count)
    for name in names:
        street.write(name, f"a question of {name}")
    street.name_them()
    order = needs_reply(page, demo, names)
    assert sorted(order) == sorted(names)
    return order


def _answer(name: str, number: int) -> str:
    """Letters that are keys elsewhere, a capital, digits, signs, both cases of what resolves."""
    return f"{name}, jkrne number {number}: Enjoy! Return? g/m {number * 7}"


@pytest.mark.timeout(600)
def test_twenty_conversations_by_keyboard_alone_while_three_messages_a_second_arrive(
    page: Page, demo: Demo, street: Street
) -> None:
    others = street.people("Passer-by", 5)
    names = _in_line(page, demo, street, "Caller", 20)
    meant = {name: [_answer(name, number)] for number, name in enumerate(names)}
    with street.chatter(others):
        page.keyboard.press("j")
        for name in names:
            page.keyboard.press("r")
            page.keyboard.type(meant[name][0])
            page.keyboard.press("Enter")
            page.keyboard.press("Escape")
            page.keyboard.press("Shift+E")
        expect(page.locator(".sendings > li")).to_have_count(0)
        _until_received(page, street, meant)
    assert {name: texts for name, texts in street.received().items() if name in meant} == meant


RUNS = [2, pytest.param(20, marks=pytest.mark.slow)]


@pytest.mark.timeout(3_000)
@pytest.mark.parametrize("runs", RUNS)
@pytest.mark.parametrize("way", ["by three keys", "by one chord"])
def test_ten_are_answered_and_resolved_in_one_go(
    page: Page, demo: Demo, street: Street, runs: int, way: str
) -> None:
    """Without a wait between the keys, and with messages arriving meanwhile."""
    others = street.people("Passer-by", 5)
    good = 0
    for run in range(runs):
        prefix = f"{'Three' if 'three' in way else 'Chord'} {run} of {runs}"
        names = _in_line(page, demo, street, prefix, 10)
        meant = {name: [_answer(name, number)] for number, name in enumerate(names)}
        with street.chatter(others):
            page.keyboard.press("j")
            for name in names:
                page.keyboard.press("r")
                page.keyboard.type(meant[name][0])
                for key in ("Enter", "Escape", "Shift+E") if "three" in way else (CHORD,):
                    page.keyboard.press(key)
            _until_received(page, street, meant)
            for name in names:
                row = page.locator("#conversation-rows > li:not(.is-leaving)")
                expect(row.filter(has=page.get_by_text(name, exact=True))).to_have_count(0)
        got = {name: texts for name, texts in street.received().items() if name in meant}
        assert got == meant
        good += 1
    print(f"{way}: {good} runs of {runs}")


def _until_received(page: Page, street: Street, meant: dict[str, list[str]]) -> None:
    def all_arrived() -> bool:
        got = street.received()
        return all(len(got.get(name, [])) >= len(texts) for name, texts in meant.items())

    # The simulated WeChat runs in the console itself: asking it all the time would slow both.
    until(page, all_arrived, f"all of {meant} received", within_s=200, every_ms=250)
