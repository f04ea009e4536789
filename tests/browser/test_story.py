"""The story of the product, lived by a person: two sessions, two phones, customers, answers."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import log_in
from tests.browser.demo_process import Demo

pytestmark = pytest.mark.browser


def _add_session(console: Page, phones: Page, name: str, owner: str) -> None:
    """Add a session on the board and scan its code with an owner's simulated phone."""
    console.get_by_role("link", name="Add account").first.click()
    dialog = console.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_role("button", name=re.compile("code", re.I)).click()
    expect(dialog.get_by_role("heading")).to_contain_text(f"“{name}”")
    expect(dialog.get_by_role("img", name="QR code to scan with WeChat")).to_be_visible()
    expect(dialog).to_contain_text("(1 of 3)")
    phones.get_by_role("button", name=f"Scan with {owner}'s phone").click()
    expect(dialog.get_by_role("status")).to_contain_text("phone")
    phones.get_by_role("button", name=f"Confirm on {owner}'s phone").click()
    expect(dialog).to_be_hidden()
    row = console.get_by_role("row").filter(has_text=name)
    expect(row).to_contain_text("receiving")


def _write(phones: Page, person: str, owner: str, text: str) -> None:
    """Write to an owner's bot as a simulated customer."""
    phones.get_by_label("Person", exact=True).select_option(label=person)
    phones.get_by_label("Writes to", exact=True).select_option(label=f"{owner}'s bot")
    phones.get_by_label("Message", exact=True).fill(text)
    phones.get_by_role("button", name=f"Send as {person}").click()


def test_scan_receive_answer_live(context: BrowserContext, demo: Demo) -> None:
    demo.control("switches", scripts_on=False)
    console, phones = context.new_page(), context.new_page()
    log_in(console, demo)
    phones.goto(f"{demo.url}/simulator/")
    console.get_by_role("link", name="Accounts").click()
    _add_session(console, phones, "Shop A", "Lin")
    _add_session(console, phones, "Repairs 售后", "Guo")

    console.get_by_role("link", name="Inbox").first.click()
    expect(console.get_by_role("heading", name="Inbox")).to_be_visible()
    _write(phones, "李娜", "Lin", "我的包裹在哪里？已经三天了")
    rows = console.get_by_role("list", name="Conversations")
    expect(rows).to_contain_text("我的包裹在哪里？已经三天了")
    expect(rows).to_contain_text("李娜")
    expect(console).to_have_title(re.compile(r"^\(1\) "))
    _write(phones, "Tom Baker", "Guo", "Can I change the colour to blue?")
    expect(rows).to_contain_text("Can I change the colour to blue?")

    rows.get_by_role("link", name=re.compile("李娜")).click()
    conversation = console.get_by_role("region", name=re.compile("Conversation with"))
    expect(conversation).to_contain_text("我的包裹在哪里？已经三天了")
    _write(phones, "李娜", "Lin", "在吗？")
    expect(conversation.locator(".bubble", has_text="在吗？")).to_be_visible()

    box = console.get_by_role("textbox", name="Reply to 李娜")
    box.fill("今天下午会送到，单号 SF1039")
    expect(console.get_by_role("button", name="Send as Shop A")).to_be_enabled()
    box.press("Enter")
    bubble = conversation.get_by_role("listitem").filter(has_text="今天下午会送到")
    expect(bubble).to_contain_text("Accepted by WeChat", ignore_case=True)
    expect(box).to_have_value("")
    expect(conversation).to_contain_text("9 of 10 replies left")
    expect(phones.get_by_text("今天下午会送到，单号 SF1039").first).to_be_visible()

    rows.get_by_role("link", name=re.compile("Tom Baker")).click()
    box = console.get_by_role("textbox", name="Reply to Tom Baker")
    box.fill("Of course.")
    console.get_by_role("button", name="Send as Repairs 售后").click()
    bubble = conversation.get_by_role("listitem").filter(has_text="Of course.")
    expect(bubble).to_contain_text("Accepted by WeChat", ignore_case=True)
