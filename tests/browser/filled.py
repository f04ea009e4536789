"""A console at work, for tests that visit all of its places."""

from playwright.sync_api import Page, expect

from tests.browser.demo_process import Demo
from tests.browser.places import LINA, TOM, WANG
from tests.browser.shop import MAKE_AGENTS, bound_shop, open_conversation, write

# A second team; 李娜 answered by Wei, 王师傅 Wei's, Tom Baker's 24 hours over with a parked reply.
WORK = """
from datetime import timedelta
from django.utils import timezone
from messaging.composing import drafts; from messaging.replying import parking, sending
from messaging.models import Conversation, Label
from sessions_app.models import Context, Team, User
from sessions_app.team_settings.limits import team_settings
admin, wei = User.objects.get(is_superuser=True), User.objects.get(username="wei")
wang, tom, lina = (Conversation.objects.get(contact__user_id=one) for one in PEOPLE)
Team.objects.create(name="Repairs")
lina.labels.add(Label.objects.create(team=lina.team, name="refund", colour=3))
answer = sending.Wish("first answer", "first")
sending.send(user=wei, conversation=lina, wish=answer, limits=team_settings())
Conversation.objects.filter(pk=wang.pk).update(assignee=wei)
text = "We could not reach you"
parking.park(user=wei, conversation=tom, text=text, draft_key="", limits=team_settings())
drafts.put_draft(admin, tom, "half a sentence")
late = timezone.now() - timedelta(hours=25)
Context.objects.filter(user_id=tom.contact.user_id).update(received_at=late)
Conversation.objects.filter(pk=tom.pk).update(closes_at=late + timedelta(hours=24))
"""


def fill(page: Page, demo: Demo) -> None:
    """Two shops, one of them signed out; people who write; work of two agents; an invitation."""
    bound_shop(page, demo)
    bound_shop(page, demo, "Shop B", "Guo")
    demo.control("end_bot", bot_id=demo.read("bots")[-1]["bot_id"])
    for person in (WANG, TOM, LINA):
        write(
            demo, person, f"hello from {person}\nhttps://example.com/a-long-address?of=many&words=1"
        )
    for kind in ("image", "image", "voice", "video", "file"):
        write(demo, LINA, "", kind=kind)
    expect(page.locator("#conversation-rows > li")).to_have_count(3)
    open_conversation(page, WANG)
    demo.control("add_fault", kind="status", status=400, path="/ilink/bot/sendmessage")
    page.get_by_role("textbox", name=f"Reply to {WANG}").fill("refused by WeChat")
    page.get_by_role("button", name="Send as Shop A").click()
    expect(page.locator(".message.ours")).to_contain_text("not sent")
    people = {one["name"]: one["user_id"] for one in demo.read("state")["people"]}
    ids = [people[name] for name in (WANG, TOM, LINA)]
    demo.python(f"PEOPLE = {ids}\n{MAKE_AGENTS}{WORK}")
    page.goto(f"{demo.url}/sessions/-/invitations/")
    page.get_by_label("Name prefix").fill("Fair")
    page.get_by_role("button", name="Make the invitation").click()
    expect(page.get_by_label("Address of Fair")).to_be_visible()
