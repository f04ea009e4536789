"""A reply that WeChat refused: who wrote needs one again, and what waits behind it leads there."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.demo_process import Demo
from tests.browser.shop import bound_shop, open_conversation, write

pytestmark = pytest.mark.browser

LINA = "李娜"


@pytest.fixture
def page(context: BrowserContext, demo: Demo) -> Page:
    one = context.new_page()
    bound_shop(one, demo)
    return one


def _view(page: Page, name: str) -> None:
    page.get_by_role("list", name="Views").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def _send(page: Page, text: str) -> None:
    box = page.get_by_role("textbox", name=f"Reply to {LINA}")
    box.fill(text)
    box.press("Enter")
    expect(page.locator(".message.ours").filter(has_text=text)).to_be_visible()


def test_refused_it_needs_a_reply_again_and_the_next_one_leads_to_it(
    page: Page, demo: Demo
) -> None:
    write(demo, LINA, "where is my parcel?")
    page.reload()
    rows = page.get_by_role("list", name="Conversations").get_by_role("listitem")
    lina = rows.filter(has_text=LINA)
    _view(page, "Needs reply")
    open_conversation(page, LINA)
    demo.control("add_fault", kind="status", status=400, path="/ilink/bot/sendmessage")
    _send(page, "the refused one")
    refused = page.locator(".message.ours").filter(has_text="the refused one")
    expect(refused).to_contain_text("not sent")
    for number in range(3):
        write(demo, LINA, f"please!\n{number}" * 15)
    _send(page, "the one behind")
    behind = page.locator(".message.ours").filter(has_text="the one behind")
    link = behind.get_by_role("link", name="waits for your decision about the reply above")
    expect(link).to_be_visible()

    page.mouse.move(0, 0)
    expect(lina).to_contain_text("2 not sent")
    _view(page, "Not sent")
    expect(rows).to_have_count(1)
    expect(lina).to_contain_text("2 not sent")
    expect(page.locator("#list-count")).to_contain_text("1")
    expect(page.locator("#rail-view-not_sent .count")).to_have_text("1")

    expect(refused).not_to_be_in_viewport()
    link.focus()
    page.keyboard.press("Enter")
    expect(refused).to_be_in_viewport()
    expect(refused).to_be_focused()

    refused.get_by_role("button", name="Send again").click()
    for bubble in (refused, behind):
        expect(bubble).to_contain_text("accepted by WeChat")
    expect(rows).to_have_count(0)
    expect(page.locator("#rail-view-not_sent .count")).to_have_text("")
    _view(page, "Needs reply")
    expect(lina).to_have_count(0)
    assert [one["text"] for one in demo.read("sends")][-2:] == ["the refused one", "the one behind"]
