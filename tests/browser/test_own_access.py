"""At `/account/`: browsers that are signed out elsewhere, tokens, and a first password."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import log_in_by_form
from tests.browser.contexts import Take
from tests.browser.demo_process import Demo
from tests.browser.shop import MAKE_AGENTS
from tests.browser.test_places import findings, sideways

pytestmark = pytest.mark.browser

ENDED_WITHIN_MS = 5_000
"""From the click of another browser until an open page says so."""
MUST_CHANGE = """
from sessions_app.models import User
user = User.objects.get(username="wei")
user.set_password("pw-wei")
user.must_change_password = %s
user.save()
"""
NO_ROLE = """
from sessions_app.models import User
User.objects.get(username="wei").groups.clear()
"""


@pytest.fixture
def agents(demo: Demo) -> None:
    demo.python(MAKE_AGENTS)
    demo.python(MUST_CHANGE % "False")


def _signed_in(take: Take, demo: Demo, address: str = "/inbox/") -> Page:
    """A login of its own, not one that other tests share."""
    page = take().new_page()
    log_in_by_form(page, demo, "wei", "pw-wei")
    page.goto(f"{demo.url}{address}")
    return page


@pytest.mark.parametrize("address", ["/inbox/", "/account/"])
def test_an_open_page_says_soon_that_it_was_signed_out_elsewhere(
    take: Take, demo: Demo, agents: None, address: str
) -> None:
    here, there = _signed_in(take, demo), _signed_in(take, demo, address)
    here.goto(f"{demo.url}/account/")
    here.get_by_role("button", name="Sign out all other browsers").click()
    expect(here.get_by_text("All your other browsers were signed out.")).to_be_visible()
    link = there.locator("#line-banner").get_by_role("link")
    expect(link).to_be_visible(timeout=ENDED_WITHIN_MS)
    link.click()
    expect(there.get_by_role("heading", name="Log in")).to_be_visible()


def test_an_open_page_ends_with_the_role(take: Take, demo: Demo, agents: None) -> None:
    page = _signed_in(take, demo)
    demo.python(NO_ROLE)
    heading = page.get_by_role("heading", name="You don't have access to this page")
    expect(heading).to_be_visible(timeout=ENDED_WITHIN_MS)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_token_by_keyboard_and_without_scripts(
    take: Take, demo: Demo, agents: None, scripts: bool
) -> None:
    page = take(java_script_enabled=scripts).new_page()
    log_in_by_form(page, demo, "wei", "pw-wei")
    page.goto(f"{demo.url}/account/")
    name = f"night script {scripts}"
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your new token.")).to_have_value(re.compile("^wlk_"))
    if scripts:
        page.get_by_role("button", name="Copy", exact=True).click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
    page.get_by_role("button", name=f"Revoke the token {name}").click()
    expect(page.get_by_text(f"The token “{name}” was revoked.")).to_be_visible()


def test_the_first_login_asks_for_a_password_and_goes_on(
    context: BrowserContext, demo: Demo, agents: None
) -> None:
    demo.python(MUST_CHANGE % "True")
    page = context.new_page()
    page.goto(f"{demo.url}/account/")
    page.get_by_label("Username").fill("wei")
    page.get_by_label("Password").fill("pw-wei")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Choose a new password")).to_be_visible()
    assert not findings(page) + sideways(page)
    page.keyboard.type("Correct horse 7")
    page.keyboard.press("Tab")
    page.keyboard.type("Correct horse 7")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
