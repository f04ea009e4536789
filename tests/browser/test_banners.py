"""An account is signed out while people work: the page says so, aloud once, and how to mend it."""

import re

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.demo_process import Demo
from tests.browser.shop import bound_shop

pytestmark = pytest.mark.browser


def test_a_signed_out_account_is_said_with_a_way_to_mend_it(
    context: BrowserContext, demo: Demo
) -> None:
    page = context.new_page()
    bound_shop(page, demo)
    banner = page.locator("[data-banner]", has_text="“Shop A” was signed out by WeChat")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    expect(banner).to_be_hidden()
    demo.control("end_bot", bot_id=demo.read("bots")[0]["bot_id"])
    expect(banner).to_be_visible()
    expect(page.locator("#heard")).to_contain_text("“Shop A” was signed out by WeChat")
    page.goto(f"{demo.url}/account/")
    page.get_by_role("button", name=re.compile("^Hide: “Shop A”")).click()
    expect(banner).to_be_hidden()
    page.reload()
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    expect(banner).to_be_hidden()

    page.evaluate("localStorage.clear()")
    page.goto(f"{demo.url}/inbox/")
    page.get_by_role("button", name="Scan again Shop A").click()
    page.wait_for_selector(".qr-frame svg")
    handle = demo.read("state")["logins"][-1]["handle"]
    demo.control("scan", handle=handle, account="Lin")
    demo.control("confirm", handle=handle)
    page.wait_for_url("**/sessions/")
    expect(page.get_by_role("row").filter(has_text="Shop A")).to_contain_text("receiving")
    expect(banner).to_be_hidden()
