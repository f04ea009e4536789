"""Two agents in two browsers at one conversation: seen, asked, never answering twice unawares."""

import re

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import log_in
from tests.browser.contexts import Take
from tests.browser.demo_process import Demo
from tests.browser.reloads import reload_slowly
from tests.browser.shop import (
    ASSIGN,
    CLOSE_ALL,
    FREE_ALL,
    MAKE_AGENTS,
    bound_shop,
    open_conversation,
    write,
)
from tests.browser.until import until

pytestmark = pytest.mark.browser

TOM = "Tom Baker"


@pytest.fixture(scope="module")
def shop(take_for_all: Take, demo: Demo) -> None:
    page = take_for_all().new_page()
    bound_shop(page, demo)
    page.close()
    demo.python(MAKE_AGENTS)


@pytest.fixture
def machines(take: Take, shop: None) -> dict[str, BrowserContext]:
    return {name: take() for name in ("wei", "mei")}


def _at_work(context: BrowserContext, demo: Demo, name: str, person: str = TOM) -> Page:
    page = context.new_page()
    log_in(page, demo, name, f"pw-{name}")
    open_conversation(page, person)
    page.mouse.move(900, 300)  # rows hold still under the pointer
    return page


@pytest.fixture
def agents(machines: dict[str, BrowserContext], demo: Demo) -> tuple[Page, Page]:
    write(demo, TOM, "are you there?")
    return _at_work(machines["wei"], demo, "wei"), _at_work(machines["mei"], demo, "mei")


def _box(page: Page) -> Locator:
    return page.get_by_role("textbox", name=f"Reply to {TOM}")


def _clear(page: Page) -> None:
    """The draft is empty on the server too, before another test begins."""
    _box(page).fill("")
    own = page.url.rstrip("/") + "/"
    empty = 'autocomplete="off"></textarea>'
    until(page, lambda: empty in page.request.get(own).text(), "the draft emptied")


def _row(page: Page) -> Locator:
    return page.get_by_role("list", name="Conversations").get_by_role("link", name=re.compile(TOM))


def _ours(page: Page, text: str) -> Locator:
    return page.locator(".message.ours").filter(has_text=text)


def test_who_looks_and_who_types_is_seen_on_head_and_row(agents: tuple[Page, Page]) -> None:
    wei, mei = agents
    for page, other in ((wei, "Mei"), (mei, "Wei")):
        expect(page.locator("#presence")).to_have_text(f"{other} here too")
        expect(_row(page).get_by_title(f"{other} here too")).to_have_text(other)
    _box(wei).press_sequentially("I look into it")
    expect(mei.locator("#presence")).to_have_text("Wei typing…")
    expect(_row(mei).get_by_title("Wei typing…")).to_have_text("Wei")
    _clear(wei)
    expect(mei.locator("#presence")).to_have_text("Wei here too")
    wei.close()
    expect(mei.locator("#presence")).to_be_hidden(timeout=30_000)


def _question(page: Page) -> Locator:
    return page.locator("#composer-ask")


def _stands_open(page: Page) -> None:
    """The question is there, and nothing else changed: focus and text are where they were."""
    expect(_question(page).get_by_role("button", name="Send anyway")).to_be_visible()
    expect(_box(page)).to_be_focused()
    expect(_box(page)).to_be_editable()


def test_typing_while_a_colleague_types_is_said_and_asked_on_sending(
    agents: tuple[Page, Page],
) -> None:
    wei, mei = agents
    _box(wei).press_sequentially("I have it")
    expect(mei.locator("#presence")).to_have_text("Wei typing…")
    _box(mei).focus()
    mei.keyboard.type("mine")
    expect(_question(mei)).to_contain_text("Wei is typing a reply.")
    expect(_question(mei).get_by_role("button")).to_have_count(0)
    expect(_box(mei)).to_be_focused()
    mei.keyboard.press("Enter")
    expect(_question(mei)).to_contain_text("Wei is typing a reply. Reply anyway?")
    _stands_open(mei)
    mei.keyboard.type(", ejkr")
    mei.keyboard.press("Enter")  # a second one in passing is no answer
    _stands_open(mei)
    expect(_box(mei)).to_have_value("mine, ejkr")
    expect(_ours(mei, "mine, ejkr")).to_have_count(0)
    mei.keyboard.press("Shift+Tab")
    expect(_question(mei).get_by_role("button", name="Keep writing")).to_be_focused()
    mei.keyboard.press("Shift+Tab")
    mei.keyboard.press("Enter")
    expect(_ours(wei, "mine, ejkr")).to_contain_text("accepted by WeChat")
    expect(_box(mei)).to_have_value("")
    _clear(wei)


def test_typing_into_a_colleagues_conversation_changes_nothing_but_the_notice(
    agents: tuple[Page, Page], demo: Demo
) -> None:
    wei, mei = agents
    demo.python(ASSIGN % "mei")
    write(demo, TOM, "whose am I?")
    for page in agents:
        expect(page.locator(".bubble", has_text="whose am I?").last).to_be_visible()
    _box(wei).focus()
    wei.keyboard.type("Let me check")
    expect(_box(wei)).to_have_value("Let me check")
    expect(_box(wei)).to_be_focused()
    expect(_question(wei)).to_contain_text("Mei is assigned to this conversation.")
    expect(wei.get_by_role("button", name="Resolve", exact=True)).to_be_visible()
    wei.keyboard.press("Enter")
    expect(_question(wei)).to_contain_text("Mei is assigned to this conversation. Reply anyway?")
    _stands_open(wei)
    wei.keyboard.press("Escape")
    for key in ("Shift+E", "r", "x", "e"):  # typed on, before the question was seen
        wei.keyboard.press(key)
    expect(wei.locator("#toasts")).to_contain_text("Not resolved")
    expect(_box(wei)).to_have_value("Let me check")
    expect(wei.get_by_role("button", name="Resolve", exact=True)).to_be_visible()
    _question(wei).get_by_role("button", name="Send anyway").click()
    expect(_ours(mei, "Let me check")).to_contain_text("accepted by WeChat")
    expect(mei.locator("#presence")).to_have_text("Wei here too")
    _box(mei).press_sequentially("mine")  # her own: nobody asks
    expect(_box(mei)).to_have_value("mine")
    expect(_question(mei)).to_be_hidden()
    _clear(mei)
    demo.python(FREE_ALL)


def test_the_question_can_be_answered_by_taking_the_conversation(
    agents: tuple[Page, Page], demo: Demo
) -> None:
    wei, mei = agents
    demo.python(ASSIGN % "mei")
    write(demo, TOM, "who is it now?")
    expect(wei.locator(".bubble", has_text="who is it now?").last).to_be_visible()
    _box(wei).fill("it is me now")
    _box(wei).press("Enter")
    _question(wei).get_by_role("button", name="Keep writing").click()
    expect(_box(wei)).to_be_focused()
    expect(_box(wei)).to_have_value("it is me now")
    _box(wei).press("Enter")
    _question(wei).get_by_role("button", name="Assign to me and send").click()
    expect(_question(wei)).to_be_hidden()
    expect(_box(wei)).to_be_focused()
    expect(mei.get_by_text("Wei took this conversation")).to_be_visible()
    expect(_ours(mei, "it is me now")).to_contain_text("accepted by WeChat")
    demo.python(FREE_ALL)


def test_a_last_look_before_sending(agents: tuple[Page, Page]) -> None:
    wei, mei = agents
    _box(mei).press_sequentially("second answer")
    expect(wei.locator("#presence")).to_have_text("Mei typing…")
    expect(wei.locator("#presence")).to_have_text("Mei here too", timeout=10_000)
    _box(wei).fill("first answer")
    _box(wei).press("Enter")
    expect(_ours(mei, "first answer")).to_be_visible()
    expect(mei.locator("#presence")).to_have_text("Wei here too")
    _box(mei).press("Enter")
    asked = mei.locator("#composer-problem")
    expect(asked).to_contain_text(re.compile(r"Wei answered \d+ s ago\. Send anyway\?"))
    expect(_ours(mei, "second answer")).to_have_count(0)
    expect(_box(mei)).to_have_value("second answer")
    asked.get_by_role("button", name="Send anyway").click()
    expect(_ours(wei, "second answer")).to_contain_text("accepted by WeChat")
    expect(_box(mei)).to_have_value("")


def test_a_draft_that_another_tab_sent_is_gone_here_and_warns_of_nothing(
    agents: tuple[Page, Page], machines: dict[str, BrowserContext]
) -> None:
    wei, _ = agents
    with wei.expect_response("**/draft/"):
        _box(wei).fill("sent in one tab")
    second = machines["wei"].new_page()
    second.goto(wei.url)
    expect(_box(second)).to_have_value("sent in one tab")
    _box(second).press("Enter")
    expect(_ours(wei, "sent in one tab")).to_have_count(1)
    expect(_box(wei)).to_have_value("")
    with wei.expect_response("**/draft/"):
        _box(wei).press_sequentially("and the next")
    expect(wei.locator("#draft-conflict")).to_be_hidden()
    expect(wei.locator("#composer-problem")).to_be_empty()
    _clear(wei)


def test_a_draft_follows_its_writer_and_nobody_else(
    agents: tuple[Page, Page], machines: dict[str, BrowserContext], demo: Demo
) -> None:
    wei, mei = agents
    with wei.expect_response("**/draft/"):
        _box(wei).fill("half a sentence")
    write(demo, TOM, "another message")
    expect(wei.locator(".bubble", has_text="another message").last).to_be_visible()
    expect(_box(wei)).to_have_value("half a sentence")
    second = machines["wei"].new_page()
    second.goto(wei.url)
    expect(_box(second)).to_have_value("half a sentence")
    expect(_box(mei)).to_have_value("")
    with second.expect_response("**/draft/"):
        _box(second).fill("from the other tab")
    with wei.expect_response("**/draft/"):
        _box(wei).fill("half a sentence more")
    expect(wei.get_by_text("This draft was changed in another tab.")).to_be_visible()
    wei.get_by_role("button", name="Use the other version").click()
    expect(_box(wei)).to_have_value("from the other tab")
    _box(wei).press_sequentially(", and the last word")
    wei.reload()  # at once: the page is asked for before the last words are on the server
    expect(_box(wei)).to_have_value("from the other tab, and the last word")
    expect(wei.get_by_text("This draft was changed in another tab.")).to_be_hidden()
    _clear(wei)


def test_a_page_drawn_before_the_last_words_were_saved_shows_them_all_the_same(
    agents: tuple[Page, Page],
) -> None:
    wei, _ = agents
    for words, whole in (("first words", "first words"), (", and more", "first words, and more")):
        _box(wei).press("End")
        _box(wei).press_sequentially(words)
        reload_slowly(wei)
        expect(_box(wei)).to_have_value(whole)
        expect(wei.locator("#draft-conflict")).to_be_hidden()
    with wei.expect_response("**/draft/"):
        _box(wei).press_sequentially("!")
    expect(wei.locator("#draft-conflict")).to_be_hidden()
    _clear(wei)


def test_what_was_sent_does_not_come_back_as_a_draft(agents: tuple[Page, Page], demo: Demo) -> None:
    """Left for another conversation, or loaded anew, before the answer to Send was there."""
    wei, _ = agents
    write(demo, "李娜", "你好")
    for leave in ("click", "reload"):
        text = f"sent, then left by a {leave}"
        _box(wei).press_sequentially(text)
        with wei.expect_request("**/reply/"):
            _box(wei).press("Enter")
        if leave == "click":
            open_conversation(wei, "李娜")
            open_conversation(wei, TOM)
        expect(_ours(wei, text)).to_have_count(1)
        wei.reload()
        expect(_ours(wei, text)).to_contain_text("accepted by WeChat")
        expect(_ours(wei, text)).to_have_count(1)
        expect(_box(wei)).to_have_value("")
    texts = [one["text"] for one in demo.read("sends") if "then left by a" in one["text"]]
    assert texts == ["sent, then left by a click", "sent, then left by a reload"]


def test_words_typed_after_a_sign_out_stand_there_after_the_next_sign_in(
    agents: tuple[Page, Page], machines: dict[str, BrowserContext], demo: Demo
) -> None:
    wei, _ = agents
    address = wei.url
    cookies = machines["wei"].cookies()
    machines["wei"].clear_cookies()
    with wei.expect_response("**/draft/"):
        _box(wei).fill("typed in vain")
    machines["wei"].add_cookies(cookies)  # type: ignore[arg-type]
    wei.goto(address)
    expect(_box(wei)).to_have_value("typed in vain")
    _clear(wei)


def test_a_draft_is_never_taken_along_to_another_person(
    agents: tuple[Page, Page], demo: Demo
) -> None:
    wei, _ = agents
    write(demo, "李娜", "你好")
    _box(wei).fill("only for Tom")
    expect(wei.get_by_role("link", name=re.compile("李娜"))).to_be_visible()
    open_conversation(wei, "李娜")
    expect(wei.get_by_role("textbox", name="Reply to 李娜")).to_have_value("")
    open_conversation(wei, TOM)
    expect(_box(wei)).to_have_value("only for Tom")
    _clear(wei)


def test_a_parked_reply_is_seen_by_both_and_goes_once_by_a_click(
    agents: tuple[Page, Page], demo: Demo
) -> None:
    wei, mei = agents
    demo.python(CLOSE_ALL)
    for page in agents:
        page.reload()
    _box(wei).fill("I could not reach you")
    wei.get_by_role("button", name="Send when they write", exact=True).click()
    for page in agents:
        expect(page.get_by_text(f"Waiting for {TOM} to write")).to_be_visible()
    expect(_box(wei)).to_have_value("")
    write(demo, TOM, "here I am")
    for page in agents:
        expect(page.get_by_role("article", name="Reply to send when they write")).to_contain_text(
            "by Wei"
        )
    sent = len(demo.read("sends"))
    mei.get_by_role("button", name="Review and send").click()
    for page in agents:
        expect(page.get_by_role("article", name="Reply to send when they write")).to_have_count(0)
        expect(_ours(page, "I could not reach you")).to_contain_text("accepted by WeChat")
    assert [one["text"] for one in demo.read("sends")[sent:]] == ["I could not reach you"]


def test_a_note_names_somebody_and_never_leaves(agents: tuple[Page, Page], demo: Demo) -> None:
    wei, mei = agents
    sent = len(demo.read("sends"))
    wei.get_by_text("Note", exact=True).first.click()
    note = wei.get_by_role("textbox", name="Internal note")
    note.press_sequentially("ask @me")
    expect(wei.get_by_role("option", name="Mei")).to_be_visible()
    note.press("Enter")
    note.press_sequentially("please")
    expect(note).to_have_value("ask @mei please")
    note.press("Enter")
    expect(mei.locator(".message.note")).to_contain_text("Wei: ask @mei please")
    assert len(demo.read("sends")) == sent


def test_undo_brings_the_text_back_before_it_goes(agents: tuple[Page, Page], demo: Demo) -> None:
    wei, mei = agents
    demo.python("from sessions_app.models import User; User.objects.update(undo_s=60)")
    wei.reload()
    sent = len(demo.read("sends"))
    _box(wei).fill("too fast")
    _box(wei).press("Enter")
    expect(wei.locator("#undo-bar")).to_contain_text(re.compile(r"Sends in \d+ s"))
    wei.locator("#undo-bar").get_by_role("button", name="Undo").click()
    expect(_box(wei)).to_have_value("too fast", timeout=20_000)
    expect(mei.get_by_text("Wei undid a reply before it was sent")).to_be_visible()
    assert len(demo.read("sends")) == sent
    _clear(wei)
    demo.python("from sessions_app.models import User; User.objects.update(undo_s=0)")


def test_enter_never_sends_while_an_input_method_composes(agents: tuple[Page, Page]) -> None:
    wei, _ = agents
    _box(wei).fill("ni hao")
    wei.evaluate("""() => {
      const area = document.querySelector("[data-composer] textarea");
      for (const init of [{isComposing: true}, {keyCode: 229}]) {
        area.dispatchEvent(
          new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true, ...init}));
      }
    }""")
    expect(_box(wei)).to_have_value("ni hao")
    expect(_ours(wei, "ni hao")).to_have_count(0)
    _clear(wei)


def test_the_customer_sees_typing_and_it_ends(agents: tuple[Page, Page], demo: Demo) -> None:
    wei, _ = agents
    bot = next(one for one in demo.read("bots") if one["alive"])
    person = next(one for one in demo.read("state")["people"] if one["name"] == TOM)

    def phone_shows() -> bool:
        chat = f"chat?bot_id={bot['bot_id']}&person_id={person['user_id']}"
        return bool(demo.read(chat)["typing"])

    _box(wei).press_sequentially("let me see")
    until(wei, phone_shows)
    _clear(wei)
    until(wei, lambda: not phone_shows())
