"""The page: what the server renders, and a day at the phones in a real browser."""

import os
import re
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

from sessions_app.simulator.control.panel import Control
from sessions_app.simulator.page.routes import FILES, STATIC
from sessions_app.simulator.page.texts import TEXTS
from sessions_app.simulator.serve import SimulatorServer

from .conftest import PERSON, BoundBot, Wire

CHROMIUM = shutil.which("chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


async def test_the_page_comes_in_the_browsers_language(wire: Wire) -> None:
    async def page(**request: Any) -> str:
        return (await wire.client.get("/simulator/", **request)).text

    assert "<title>模拟微信</title>" in await page(headers={"Accept-Language": "zh-CN,en;q=0.5"})
    assert "<title>Simulated WeChat</title>" in await page(headers={"Accept-Language": "fr"})
    assert 'lang="zh-Hans"' in await page(params={"lang": "zh"})


async def test_the_page_needs_nothing_from_elsewhere_and_nothing_inline(wire: Wire) -> None:
    response = await wire.client.get("/simulator/")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)|https?://", response.text)
    for name in FILES:
        found = await wire.client.get(f"/simulator/static/{name}")
        assert found.headers["content-type"].startswith(FILES[name])
    assert {file.name for file in STATIC.iterdir()} == {*FILES, "simulator.html"}


async def test_a_handle_from_the_address_is_escaped(wire: Wire) -> None:
    response = await wire.client.get("/simulator/scan", params={"code": '"><script>'})
    assert "<script>" not in response.text


async def test_the_root_leads_to_the_page(wire: Wire) -> None:
    for address in ("/", "/simulator"):
        assert (await wire.client.get(address)).headers["location"] == "/simulator/"


def test_both_languages_have_the_same_texts() -> None:
    assert TEXTS["en"].keys() == TEXTS["zh"].keys()
    for key, text in TEXTS["en"].items():
        holes = re.findall(r"{\w+}", text)
        assert sorted(holes) == sorted(re.findall(r"{\w+}", TEXTS["zh"][key])), key


def in_browser(test: Any) -> Any:
    """Skipped where Chromium is missing, unless REQUIRE_SERVICES makes that a failure."""
    missing = CHROMIUM is None and os.environ.get("REQUIRE_SERVICES") != "1"
    skip = pytest.mark.skipif(missing, reason="Chromium is not installed")
    return pytest.mark.browser(skip(test))


@pytest.fixture
async def page(server: SimulatorServer) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        opened = await browser.new_page()
        complaints: list[str] = []
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        await opened.goto(server.page_url)
        yield opened
        await browser.close()
        assert complaints == []


@in_browser
async def test_a_phone_scans_and_confirms(page: Page, wire: Wire, control: Control) -> None:
    handle = (await wire.draw())["qrcode"]
    await page.get_by_role("button", name="Scan with Lin's phone").click()
    await expect(page.get_by_role("button", name="Refuse on Lin's phone")).to_be_visible()
    await page.get_by_role("button", name="Confirm on Lin's phone").click()
    await expect(page.get_by_role("button", name="Log out on Lin's phone")).to_be_visible()
    assert (await wire.status(handle))["status"] == "confirmed"


@in_browser
async def test_a_phone_shows_digits_when_asked_to(page: Page, wire: Wire, control: Control) -> None:
    handle = (await wire.draw())["qrcode"]
    await page.get_by_label("Ask for verify code").check()
    await page.get_by_role("button", name="Scan with Mei's phone").click()
    await expect(page.get_by_text("Type these digits in the console")).to_be_visible()
    digits = control.login(handle)["digits"]
    await expect(page.get_by_text(digits, exact=True)).to_be_visible()
    await wire.status(handle, verify_code=digits)
    await page.get_by_role("button", name="Confirm on Mei's phone").click()
    await expect(page.get_by_role("button", name="Log out on Mei's phone")).to_be_visible()


@in_browser
async def test_a_customer_writes_and_sees_the_answer(
    page: Page, bot: BoundBot, control: Control
) -> None:
    control.add_person("Nina", PERSON)
    await page.get_by_label("Person", exact=True).select_option("Nina")
    await page.get_by_label("Message", exact=True).fill("<b>hello</b>")
    await page.get_by_role("button", name="Send as Nina").click()
    log = page.get_by_role("log")
    await expect(log.get_by_text("<b>hello</b>")).to_be_visible()
    await page.get_by_role("button", name="Send a picture").click()
    await expect(log.get_by_role("img", name="Picture")).to_be_visible()
    context = control.chat(bot.bot_id, PERSON)["context_token"]
    await bot.says("您好 Nina", context)
    await page.get_by_role("button", name="Quote: 您好 Nina").click()
    await page.get_by_label("Message", exact=True).fill("yes")
    await page.keyboard.press("Enter")
    await expect(log.locator(".quoted", has_text="您好 Nina")).to_be_visible()


@in_browser
async def test_the_address_in_the_qr_picture_opens_the_phones_for_this_code(
    page: Page, wire: Wire
) -> None:
    drawn = await wire.draw()
    await wire.draw()
    await page.goto(drawn["qrcode_img_content"])
    await expect(page.get_by_role("heading", name="Scan this QR code")).to_be_visible()
    await page.get_by_role("button", name="Scan with Guo's phone").click()
    await page.get_by_role("button", name="Confirm on Guo's phone").click()
    assert (await wire.status(drawn["qrcode"]))["status"] == "confirmed"
