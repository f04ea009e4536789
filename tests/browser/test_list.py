"""The list as a person works it: rows that hold still, several at once, views and the way back."""

import re
import uuid

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import log_in
from tests.browser.contexts import Take
from tests.browser.demo_process import Demo
from tests.browser.shop import CLOSE_ALL, open_conversation

pytestmark = pytest.mark.browser

PEOPLE = ("李娜", "Tom Baker", "赵丽", "Marc Dubois", "Sophie Klein", "王师傅")


class Street:
    """The simulated customers of one shop."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        state = demo.read("state")
        self.bot = state["bots"][-1]["bot_id"]
        self.ids = {one["name"]: one["user_id"] for one in state["people"]}

    def write(self, person: str, text: str) -> None:
        self.demo.control("write", bot_id=self.bot, person_id=self.ids[person], text=text)


@pytest.fixture(scope="module")
def street(demo: Demo, take_for_all: Take) -> Street:
    """A shop whose code was scanned; nobody writes there unless a test does."""
    demo.control("switches", scripts_on=False)
    page = take_for_all().new_page()
    log_in(page, demo)
    page.goto(f"{demo.url}/sessions/")
    page.get_by_role("link", name="Add account").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Shop A")
    dialog.get_by_label("Name").press("Enter")
    expect(dialog.get_by_role("img", name="QR code to scan with WeChat")).to_be_visible()
    handle = demo.read("state")["logins"][-1]["handle"]
    demo.control("scan", handle=handle, account="Lin")
    demo.control("confirm", handle=handle)
    expect(dialog).to_be_hidden(timeout=10_000)
    page.close()
    return Street(demo)


@pytest.fixture
def page(context: BrowserContext, demo: Demo, street: Street) -> Page:
    one = context.new_page()
    log_in(one, demo)
    word = uuid.uuid4().hex[:6]
    for person in PEOPLE:
        street.write(person, f"hello {word}")
    expect(rows(one).filter(has_text=f"hello {word}")).to_have_count(len(PEOPLE))
    return one


def rows(page: Page) -> Locator:
    return page.get_by_role("list", name="Conversations").get_by_role("listitem")


def names(page: Page) -> list[str]:
    return [text.strip() for text in page.locator("#conversation-rows .who").all_inner_texts()]


def leave_list(page: Page) -> None:
    page.mouse.move(page.viewport_size["width"] - 5, 400)  # type: ignore[index]


def write_new(street: Street, person: str) -> str:
    text = f"news {uuid.uuid4().hex[:6]}"
    street.write(person, text)
    return text


def test_rows_hold_still_under_the_pointer_until_it_leaves(page: Page, street: Street) -> None:
    leave_list(page)
    before = names(page)
    last = rows(page).last
    last.hover()
    text = write_new(street, before[-1])
    expect(last).to_contain_text(text)
    write_new(street, before[-2])
    pill = page.get_by_role("button", name="2 updates")
    expect(pill).to_be_visible()
    assert names(page) == before
    leave_list(page)
    expect(pill).to_be_hidden()
    expect(rows(page).first).to_contain_text(before[-2])
    assert names(page)[:2] == [before[-2], before[-1]]


def test_rows_hold_still_under_the_focus_and_the_pill_lets_them_go(
    page: Page, street: Street
) -> None:
    leave_list(page)
    before = names(page)
    rows(page).first.get_by_role("link").focus()
    write_new(street, before[-1])
    pill = page.get_by_role("button", name="1 update")
    expect(pill).to_be_visible()
    assert names(page) == before
    pill.click()
    expect(pill).to_be_hidden()
    expect(rows(page).first).to_contain_text(before[-1])
    assert page.evaluate("document.activeElement !== document.body")


def test_what_leaves_the_view_stays_greyed_under_the_pointer(page: Page, street: Street) -> None:
    page.get_by_role("link", name=re.compile("Needs reply")).first.click()
    expect(page.get_by_role("heading", name="Needs reply")).to_be_visible()
    expect(rows(page)).to_have_count(len(PEOPLE))
    first = rows(page).first
    first.hover()
    row_id = first.get_attribute("id") or ""
    token = page.locator("body").get_attribute("hx-headers") or ""
    answer = page.request.post(
        f"{page.url.split('/inbox')[0]}/inbox/work/resolve/",
        form={"ids": row_id.removeprefix("conversation-")},
        headers={"X-CSRFToken": re.findall(r'"X-CSRFToken": "(\w+)"', token)[0]},
    )
    assert answer.ok
    expect(first).to_have_class(re.compile("is-leaving"))
    expect(rows(page)).to_have_count(len(PEOPLE))
    leave_list(page)
    expect(rows(page)).to_have_count(len(PEOPLE) - 1)
    expect(page.locator("#list-count")).to_contain_text(str(len(PEOPLE) - 1))


@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_several_are_chosen_and_resolved_and_the_list_waits_meanwhile(
    page: Page, street: Street, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.get_by_role("button", name="Select conversations").click()
    boxes = page.get_by_role("checkbox", name=re.compile("^Select "))
    boxes.nth(1).check()
    boxes.nth(2).check()
    leave_list(page)
    bar = page.get_by_role("form", name="Actions for the selected conversations")
    expect(bar).to_contain_text("2 selected")
    before = names(page)
    write_new(street, before[-1])
    expect(page.get_by_role("button", name="1 update")).to_be_visible()
    assert names(page) == before
    bar.get_by_role("button", name="Resolve").click()
    expect(page.get_by_text("2 conversations resolved.").first).to_be_visible()
    expect(bar).to_be_hidden()
    expect(rows(page).first).to_contain_text(before[-1])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_all_that_match_are_labelled_and_found_by_the_label(page: Page, street: Street) -> None:
    label = f"L{uuid.uuid4().hex[:5]}"
    rows(page).first.hover()
    page.get_by_role("checkbox", name=re.compile("^Select ")).first.check()
    page.get_by_role("button", name=re.compile(r"All \d+ matching")).click()
    expect(page.get_by_text(f"All {len(PEOPLE)} selected")).to_be_visible()
    page.get_by_role("button", name="Label", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("6 conversations, all that match")
    dialog.get_by_label("New label").fill(label)
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Labels of 6 conversations changed.").first).to_be_visible()
    expect(dialog).to_be_hidden()
    page.get_by_role("link", name="Filter the list").click()
    dialog.get_by_label("Label").select_option(label)
    dialog.get_by_role("button", name="Apply filters").click()
    expect(page).to_have_url(re.compile(f"label={label}"))
    expect(rows(page)).to_have_count(len(PEOPLE))
    page.get_by_role("link", name=re.compile("without the filter")).click()
    expect(page).not_to_have_url(re.compile("label="))


def test_views_live_in_the_address_and_back_goes_back(page: Page, street: Street) -> None:
    rows(page).filter(has_text="Tom Baker").get_by_role("link").click()
    expect(page.locator("#open-conversation")).to_be_visible()
    opened = page.url
    page.get_by_role("link", name=re.compile("Unassigned")).first.click()
    expect(page.get_by_role("heading", name="Unassigned")).to_be_visible()
    expect(page).to_have_url(f"{opened}?view=unassigned")
    expect(page.locator("#open-conversation")).to_be_visible()
    page.get_by_role("link", name="Closing soonest").click()
    expect(page).to_have_url(re.compile(r"view=unassigned&sort=closing"))
    page.reload()
    expect(page.get_by_role("heading", name="Unassigned")).to_be_visible()
    expect(page.locator("#open-conversation")).to_be_visible()
    page.evaluate("history.back()")  # htmx may load the page anew within it
    expect(page).to_have_url(f"{opened}?view=unassigned")
    expect(page.get_by_role("link", name="Longest wait")).to_have_attribute("aria-current", "true")
    page.evaluate("history.back()")  # htmx may load the page anew within it
    expect(page).to_have_url(opened)
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()


def test_a_name_is_searched_while_it_is_typed(page: Page, street: Street) -> None:
    field = page.get_by_role("searchbox", name="Search people")
    field.press_sequentially("Baker", delay=60)
    expect(rows(page)).to_have_count(1)
    expect(field).to_be_focused()
    expect(field).to_have_value("Baker")
    field.fill("")
    expect(rows(page)).to_have_count(len(PEOPLE))


def test_one_is_taken_snoozed_woken_and_settled_from_its_head(page: Page, street: Street) -> None:
    rows(page).filter(has_text="赵丽").get_by_role("link").click()
    head = page.get_by_role("form", name="Actions for this conversation")
    conversation = page.get_by_role("region", name=re.compile("Conversation with"))
    head.get_by_role("button", name="Assign to me").click()
    expect(conversation).to_contain_text("took this conversation")
    expect(head.get_by_role("button", name=re.compile("^Assigned to admin"))).to_be_visible()
    head.get_by_role("button", name="Snooze").click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^One hour")).click()
    expect(conversation).to_contain_text("snoozed this until")
    street.write("赵丽", "still here")
    expect(conversation).to_contain_text("Reopened by a new message")
    resolve = head.get_by_role("button", name="Resolve and open the next")
    resolve.click()
    expect(conversation).not_to_contain_text("still here")
    expect(page.locator("#open-conversation")).to_be_visible()
    expect(rows(page).filter(has_text="赵丽")).to_contain_text("resolved")


def test_a_row_says_what_is_begun_what_waits_and_what_was_not_sent(
    page: Page, demo: Demo, street: Street
) -> None:
    def box(person: str) -> Locator:
        return page.get_by_role("textbox", name=f"Reply to {person}")

    def chip(person: str, words: str) -> Locator:
        return rows(page).filter(has_text=person).locator(".chip").get_by_text(words, exact=True)

    open_conversation(page, "李娜")
    with page.expect_response("**/draft/"):
        box("李娜").fill("half a sentence")
    open_conversation(page, "Marc Dubois")
    expect(chip("李娜", "draft")).to_be_visible()
    demo.control("add_fault", kind="status", status=400, path="/ilink/bot/sendmessage")
    box("Marc Dubois").fill("refused by WeChat")
    box("Marc Dubois").press("Enter")
    expect(chip("Marc Dubois", "1 not sent")).to_be_visible()
    demo.python(CLOSE_ALL)
    page.reload()
    open_conversation(page, "Sophie Klein")
    box("Sophie Klein").fill("when you write again")
    page.get_by_role("button", name="Send when they write", exact=True).click()
    expect(chip("Sophie Klein", "1 waiting for the customer")).to_be_visible()
    open_conversation(page, "李娜")
    box("李娜").fill("")
    expect(chip("李娜", "draft")).to_have_count(0)


def test_the_first_load_transfers_less_than_150_kb(page: Page, demo: Demo) -> None:
    """Everything that comes over the line for a page nobody has in a cache, headers too.

    The inbox alone keeps to 150 kB; with a conversation open it is about 160 kB at present.
    """
    rows(page).first.get_by_role("link").click()
    expect(page.locator("#open-conversation")).to_be_visible()
    for address, most in ((f"{demo.url}/inbox/", 150_000), (page.url, 165_000)):
        lines = page.context.new_cdp_session(page)
        lines.send("Network.enable")
        lines.send("Network.setCacheDisabled", {"cacheDisabled": True})
        sizes: list[float] = []
        lines.on(
            "Network.loadingFinished", lambda it, into=sizes: into.append(it["encodedDataLength"])
        )
        page.goto(address, wait_until="networkidle")
        expect(rows(page)).to_have_count(len(PEOPLE))
        print(f"{address}: {sum(sizes) / 1000:.1f} kB in {len(sizes)} answers")
        assert len(sizes) > 20
        assert sum(sizes) < most
        lines.detach()
