"""A shop on the demo, without the walk through the dialogs: bound by its owner, written to."""

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import log_in
from tests.browser.demo_process import Demo

# For `Demo.python`.
MAKE_AGENTS = """
from django.contrib.auth.models import Group
from sessions_app.models import Team, User
for name in ("wei", "mei"):
    user, _ = User.objects.get_or_create(username=name, defaults={"first_name": name.title()})
    user.set_password(f"pw-{name}")
    user.save()
    user.groups.add(Group.objects.get(name="agent"))
    user.teams.add(Team.objects.get(name="Everyone"))
"""
ASSIGN = """
from messaging.models import Conversation
from sessions_app.models import User
Conversation.objects.update(assignee=User.objects.get(username="%s"))
"""
FREE_ALL = """
from messaging.models import Conversation
Conversation.objects.update(assignee=None)
"""
CLOSE_ALL = """
from datetime import timedelta
from django.utils import timezone
from messaging.models import Conversation
from sessions_app.models import Context
Context.objects.update(received_at=timezone.now() - timedelta(hours=25))
Conversation.objects.update(closes_at=timezone.now() - timedelta(hours=1))
"""


def bound_shop(page: Page, demo: Demo, name: str = "Shop A", owner: str = "Lin") -> None:
    """Log in; bind the session unless a test before has. Ends on the inbox."""
    demo.control("switches", scripts_on=False)
    log_in(page, demo)
    if name in demo.shops:
        return
    page.goto(f"{demo.url}/sessions/")
    page.get_by_role("link", name="Add account").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Name").press("Enter")
    page.wait_for_selector("dialog .qr-frame svg")
    handle = demo.read("state")["logins"][-1]["handle"]
    demo.control("scan", handle=handle, account=owner)
    demo.control("confirm", handle=handle)
    expect(dialog).to_be_hidden()
    demo.shops.add(name)
    page.goto(f"{demo.url}/inbox/")


def write(demo: Demo, person: str, text: str, **more: Any) -> None:
    """As a simulated customer, to the bot that is alive."""
    bots = [bot for bot in demo.read("bots") if bot["alive"]]
    bot_id = bots[0]["bot_id"]
    demo.control("write", bot_id=bot_id, person_id=demo.person_id(person), text=text, **more)


def open_conversation(page: Page, person: str) -> None:
    rows = page.get_by_role("list", name="Conversations")
    rows.get_by_role("link", name=re.compile(person)).click()
    expect(page.get_by_role("region", name=f"Conversation with {person}")).to_be_visible()
    # A click before the scripts run leads to a page of its own, which they have still to take over.
    expect(page.locator("body[data-first-conversation]")).to_have_count(1)
