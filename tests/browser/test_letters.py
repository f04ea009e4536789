"""Whatever takes text takes all of it: no letter typed there is a key of the console."""

import string
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.contexts import Take
from tests.browser.demo_process import Demo
from tests.browser.filled import fill
from tests.browser.places import PLACES, SIGNED_OUT, Place

pytestmark = pytest.mark.browser

LETTERS = string.ascii_lowercase + string.ascii_uppercase + string.digits + "?/ .-"

# Everything that takes text, in shadow roots too; behind an open dialog nothing does.
FIELDS = """() => {
  const found = [];
  const look = (root) => {
    for (const one of root.querySelectorAll("*")) {
      if (one.shadowRoot) look(one.shadowRoot);
      const takes = one.isContentEditable || one.matches(
        "textarea, select, input:not([type=hidden], [type=checkbox], [type=radio], [type=range], " +
        "[type=submit], [type=button], [type=reset], [type=file], [type=color])");
      const isSeen = one.checkVisibility({ visibilityProperty: true });
      if (takes && !one.disabled && isSeen) found.push(one);
    }
  };
  look(document.querySelector("dialog[open]") ?? document);
  window.fields = found;
  return found.length;
}"""
FOCUS = """(number) => {
  const one = window.fields[number];
  if (!one.isConnected) return null;
  one.focus();
  let active = document.activeElement;
  while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
  one.select?.();
  const isText = one.matches("textarea, input") && !one.readOnly
    && ["text", "search", "password", "textarea", "url", "tel"].includes(one.type);
  return active === one ? { isText, most: one.maxLength, was: one.value } : null;
}"""
VALUE = "(number) => window.fields[number].value"
BACK = """([number, was]) => {
  const one = window.fields[number];
  if (!one.isConnected || one.matches("select")) return;
  one.value = was;
  one.dispatchEvent(new InputEvent("input", { bubbles: true }));
}"""
SHOWN = """() => [location.pathname, document.querySelectorAll("dialog[open]").length,
  document.getElementById("open-conversation")?.dataset.conversation ?? "",
  document.querySelectorAll("emoji-picker").length]"""


def _work(page: Page, demo: Demo) -> Any:
    """What the console would show of a key that acted: states, people, labels."""
    items = page.request.get(f"{demo.url}/api/v1/conversations?limit=200").json()["items"]
    return {one["id"]: (one["status"], one["assignee"], one["labels"]) for one in items}


def _type_everywhere(page: Page, demo: Demo, name: str) -> tuple[int, list[str]]:
    typed = 0
    wrong: list[str] = []
    for number in range(page.evaluate(FIELDS)):
        field = page.evaluate(FOCUS, number)
        if field is None:
            continue
        before = page.evaluate(SHOWN)
        page.keyboard.type(LETTERS)
        typed += 1
        after = page.evaluate(SHOWN)
        if after != before:
            wrong.append(f"{name}, field {number}: {before} became {after}")
        meant = LETTERS[: field["most"]] if (field["most"] or 0) > 0 else LETTERS
        if field["isText"] and page.evaluate(VALUE, number) != meant:
            wrong.append(f"{name}, field {number}: {page.evaluate(VALUE, number)!r}")
        page.evaluate(BACK, [number, field["was"]])
    return typed, wrong


@pytest.fixture(scope="module")
def page(take_for_all: Take, demo: Demo) -> Page:
    """A console at work, one page for all places."""
    page = take_for_all().new_page()
    fill(page, demo)
    return page


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_no_letter_typed_into_a_field_is_a_key(page: Page, demo: Demo, place: Place) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.context.set_offline(False)
    place.walk(page, demo)
    page.wait_for_load_state()
    before = _work(page, demo)
    _typed, wrong = _type_everywhere(page, demo, place.name)
    assert wrong == []
    assert _work(page, demo) == before


def test_there_is_something_to_type_into(page: Page, demo: Demo) -> None:
    """A test that finds no field cannot fail."""
    counted = {}
    for name in ("thread", "emoji", "renaming a person", "settings", "filters", "palette"):
        next(one for one in PLACES if one.name == name).walk(page, demo)
        counted[name], wrong = _type_everywhere(page, demo, name)
        assert wrong == []
    assert all(counted.values())
    assert counted["thread"] >= 2
    assert counted["settings"] >= 5


@pytest.mark.parametrize("place", SIGNED_OUT, ids=lambda place: place.name)
def test_nor_where_nobody_is_signed_in(context: BrowserContext, demo: Demo, place: Place) -> None:
    page = context.new_page()
    place.walk(page, demo)
    _typed, wrong = _type_everywhere(page, demo, place.name)
    assert wrong == []
