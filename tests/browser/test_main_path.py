"""The main path in both languages and at three widths: sign in, see, answer, resolve."""

import re
from dataclasses import dataclass, fields

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.contexts import Take
from tests.browser.demo_process import Demo
from tests.browser.shop import bound_shop, write

pytestmark = pytest.mark.browser

SHOP = "Shop A"
SIZES = {1440: 900, 1024: 768, 390: 844}
PEOPLE = {
    ("en", 1440): "Tom Baker", ("en", 1024): "Marc Dubois", ("en", 390): "Sophie Klein",
    ("zh-hans", 1440): "李娜", ("zh-hans", 1024): "王师傅", ("zh-hans", 390): "陈先生",
}  # fmt: skip
TEXTS = """() => [document.title, document.body.innerText,
  ...[...document.querySelectorAll("[aria-label], [title], [placeholder]")]
    .filter((one) => one.checkVisibility())
    .flatMap((one) => [one.ariaLabel, one.title, one.placeholder]),
].filter(Boolean).join("\\n")"""


@dataclass(frozen=True, slots=True)
class Words:
    """What the console calls things. `{}` stands for a name or a number."""

    username: str
    password: str
    log_in: str
    sessions: str
    state: str
    receiving: str
    inbox: str
    conversations: str
    unread: str
    waiting: str
    conversation_with: str
    hours: str
    replies: str
    replies_in_full: str
    reply_to: str
    send_as: str
    taken: str
    resolve: str
    resolved_this: str
    resolved: str
    reopen: str
    back: str
    note: str
    snooze: str
    assign: str


ENGLISH = Words(
    username="Username",
    password="Password",
    log_in="Log in",
    sessions="Accounts",
    state="State",
    receiving="receiving",
    inbox="Inbox",
    conversations="Conversations",
    unread="unread",
    waiting="waiting",
    conversation_with="Conversation with {}",
    hours="{} h",
    replies="about {} left",
    replies_in_full="about {} of {} replies left",
    reply_to="Reply to {}",
    send_as="Send as {}",
    taken="accepted by WeChat",
    resolve="Resolve",
    resolved_this="{} resolved this",
    resolved="resolved",
    reopen="Reopen",
    back="Back to the list",
    note="Note",
    snooze="Snooze",
    assign="Assign",
)
CHINESE = Words(
    username="用户名",
    password="密码",
    log_in="登录",
    sessions="微信账号",
    state="状态",
    receiving="接收中",
    inbox="收件箱",
    conversations="会话",
    unread="未读",
    waiting="等待中",
    conversation_with="与 {} 的会话",
    hours="{} 小时",
    replies="约剩 {} 条",
    replies_in_full="约剩 {} / {} 条回复",
    reply_to="回复 {}",
    send_as="用 {} 发送",
    taken="微信已接收",
    resolve="解决",
    resolved_this="{} 将会话标为已解决",
    resolved="已解决",
    reopen="重新打开",
    back="返回列表",
    note="备注",
    snooze="推迟",
    assign="分配",
)
LANGUAGES = {"en": ("en-GB", ENGLISH), "zh-hans": ("zh-CN", CHINESE)}


class Reader:
    """Somebody with a browser of one language and one width."""

    def __init__(self, page: Page, language: str, width: int) -> None:
        self.page, self.language, self.is_phone = page, language, width == 390
        self.words = LANGUAGES[language][1]
        self.person = PEOPLE[language, width]

    @property
    def rows(self) -> Locator:
        return self.page.get_by_role("list", name=self.words.conversations)

    @property
    def row(self) -> Locator:
        return self.rows.get_by_role("listitem").filter(has_text=self.person)

    @property
    def conversation(self) -> Locator:
        name = self.words.conversation_with.format(self.person)
        return self.page.get_by_role("region", name=name)

    def check_page(self) -> None:
        """The page is in one language and no wider than its window."""
        expect(self.page.locator("html")).to_have_attribute("lang", self.language)
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if self.language != "en":
            assert english_in(self.page.evaluate(TEXTS)) == []


def english_in(shown: str) -> list[str]:
    """Which of the English words stand there."""
    patterns = [getattr(ENGLISH, field.name) for field in fields(Words)]
    patterns = [re.escape(words).replace(r"\{\}", r".{1,20}") for words in patterns]
    return [one for one in patterns if re.search(rf"\b{one}\b", shown, re.IGNORECASE)]


@pytest.fixture(scope="module")
def shop(take_for_all: Take, demo: Demo) -> None:
    page = take_for_all().new_page()
    bound_shop(page, demo, SHOP)
    page.close()


@pytest.fixture(params=[*PEOPLE], ids=lambda one: f"{one[0]}-{one[1]}")
def reader(request: pytest.FixtureRequest, take: Take, shop: None) -> Reader:
    language, width = request.param
    page = take(locale=LANGUAGES[language][0]).new_page()
    page.set_viewport_size({"width": width, "height": SIZES[width]})
    return Reader(page, language, width)


def test_sign_in_see_answer_and_resolve(reader: Reader, demo: Demo) -> None:
    page, words, person = reader.page, reader.words, reader.person
    _sign_in(reader, demo)
    reader.check_page()

    page.get_by_role("link", name=words.sessions, exact=True).click()
    expect(page.get_by_role("heading", name=words.sessions, exact=True, level=1)).to_be_visible()
    expect(page.get_by_role("row").filter(has_text=SHOP)).to_contain_text(words.receiving)
    reader.check_page()

    page.get_by_role("link", name=re.compile(f"^{words.inbox}")).click()
    expect(page.get_by_role("heading", name=words.inbox, exact=True, level=1)).to_be_visible()
    expect(reader.row).to_have_count(0)
    write(demo, person, f"晚上好 ({person})")
    expect(reader.row).to_contain_text(f"晚上好 ({person})")
    expect(reader.row).to_contain_text(f"1 {words.unread}")
    expect(reader.row).to_contain_text(words.waiting)
    reader.check_page()

    reader.row.get_by_role("link").click()
    expect(reader.conversation).to_contain_text(f"晚上好 ({person})")
    expect(reader.rows).to_be_visible(visible=not reader.is_phone)
    _see_quota(reader, 10)
    reader.check_page()

    box = page.get_by_role("textbox", name=words.reply_to.format(person))
    box.fill(f"您好 ({person})")
    page.get_by_role("button", name=words.send_as.format(SHOP)).click()
    bubble = reader.conversation.get_by_role("listitem").filter(has_text=f"您好 ({person})")
    expect(bubble).to_contain_text(words.taken, ignore_case=True)
    expect(box).to_have_value("")
    _see_quota(reader, 9)
    reader.check_page()

    page.get_by_role("button", name=words.resolve, exact=True).click()
    expect(reader.conversation).to_contain_text(words.resolved_this.format(demo.username))
    expect(page.get_by_role("button", name=words.reopen)).to_be_visible()
    reader.check_page()

    if reader.is_phone:
        page.get_by_role("link", name=words.back).click()
        expect(reader.conversation).to_be_hidden()
    expect(reader.rows).to_be_visible()
    expect(reader.row).to_contain_text(words.resolved)
    reader.check_page()


def _sign_in(reader: Reader, demo: Demo) -> None:
    page, words = reader.page, reader.words
    page.goto(demo.url)
    expect(page.get_by_role("heading", name=words.log_in)).to_be_visible()
    reader.check_page()
    page.get_by_label(words.username).fill(demo.username)
    page.get_by_label(words.password).fill(demo.password)
    page.get_by_role("button", name=words.log_in).click()
    page.wait_for_url("**/inbox/")
    page.wait_for_load_state()


def _see_quota(reader: Reader, left: int) -> None:
    """Hours and replies left: in the head as far as it is wide, and in full above the composer."""
    words, head = reader.words, reader.conversation.locator("header")
    hours = re.compile(words.hours.format(r"\d+"))
    expect(head).to_contain_text(hours, use_inner_text=True)
    if not reader.is_phone:
        expect(head).to_contain_text(words.replies.format(left), use_inner_text=True)
    expect(reader.conversation.get_by_text(words.replies_in_full.format(left, 10))).to_be_visible()


def test_english_left_in_a_page_is_found() -> None:
    """A test that cannot fail is a defect."""
    assert english_in("收件箱\nReply to 李娜\nresolve") == [r"Reply\ to\ .{1,20}", "Resolve"]
    assert english_in("收件箱 · Shop A · WeiLink") == []
