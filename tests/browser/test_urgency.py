"""A reply window that runs out while the page stands open: row, head and composer say so."""

import re

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.demo_process import Demo
from tests.browser.shop import bound_shop, open_conversation, write

pytestmark = pytest.mark.browser

TOM = "Tom Baker"
LEFT = """
from datetime import timedelta
from django.utils import timezone
from messaging.models import Conversation
from sessions_app.models import Context
left = timezone.now() + timedelta(seconds=SECONDS)
Context.objects.update(received_at=left - timedelta(hours=24))
Conversation.objects.update(closes_at=left)
"""
CLOCK = re.compile(r"closes \d\d:\d\d")


@pytest.mark.parametrize(("seconds", "mark"), [(3_608, "soon"), (608, "now")])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_marks_come_without_a_reload(
    context: BrowserContext, demo: Demo, seconds: int, mark: str, width: int
) -> None:
    page = context.new_page()
    bound_shop(page, demo)
    write(demo, TOM, "are you there?")
    open_conversation(page, TOM)
    page.set_viewport_size({"width": width, "height": 844})
    demo.python(LEFT.replace("SECONDS", str(seconds)))
    page.reload()
    places = [page.locator(one) for one in ("#head-sub", "#quota .window")]
    places.append(page.locator(".conversation .chip[data-window-until]"))
    for place in places:
        expect(place).not_to_have_attribute("data-urgency", mark)
    page.evaluate("window.stays = true")
    for place in places:
        expect(place).to_have_attribute("data-urgency", mark, timeout=20_000)
    expect(places[1]).to_contain_text(CLOCK)
    expect(places[2]).to_contain_text(CLOCK)
    shown = "span.closes" if width > 480 else "span.closes-short"
    box, head = places[0].locator(shown).bounding_box(), places[0].bounding_box()
    assert box is not None
    assert head is not None
    assert box["y"] < head["y"] + head["height"]  # it did not wrap out of sight
    assert box["x"] + box["width"] <= head["x"] + head["width"] + 1
    assert page.evaluate("window.stays") is True
