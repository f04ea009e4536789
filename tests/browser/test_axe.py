"""axe finds nothing on any page or dialog, in light and in dark."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.conftest import log_in
from tests.browser.demo_process import Demo
from tests.browser.places import EMPTY, all_places, fill
from tests.browser.shop import bound_shop

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parent / "axe" / "axe-core-4.14.1.min.js").read_text(encoding="utf-8")
RUN = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.map(({ id, help, nodes }) => ({
    id, help, nodes: nodes.slice(0, 3).map((one) => `${one.html} ${one.failureSummary}`),
  }));
}"""


def findings(page: Page, name: str) -> list[str]:
    """What axe says of the page as it stands, in both themes."""
    found = []
    page.evaluate(AXE)
    page.emulate_media(reduced_motion="reduce")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        violations: list[dict[str, Any]] = page.evaluate(RUN)
        found += [
            f"{name}, {theme}: {one['id']}: {one['help']} {one['nodes']}" for one in violations
        ]
    return found


def test_axe_finds_nothing_anywhere(context: BrowserContext, demo: Demo) -> None:
    page = context.new_page()
    demo.control("switches", scripts_on=False)
    log_in(page, demo)
    found = []
    for place in EMPTY:
        place.walk(page, demo)
        found += findings(page, place.name)
    bound_shop(page, demo)
    fill(page, demo)
    for place in all_places(page, demo, log_in):
        found += findings(page, place.name)
    assert not found, "\n\n".join(found)


def test_axe_does_find_what_is_wrong(context: BrowserContext, demo: Demo) -> None:
    """A test that cannot fail is a defect."""
    page = context.new_page()
    log_in(page, demo)
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert any("button-name" in one for one in findings(page, "spoilt"))
