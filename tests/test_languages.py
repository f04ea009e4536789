"""The Simplified Chinese: complete, compiled, and nothing on the main pages left in English."""

import gettext
import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.template import Context as TemplateContext
from django.template import Template
from django.test import Client
from django.utils import timezone, translation

from messaging.models import Conversation, Message, MessageKind
from sessions_app.invitations import invitations
from sessions_app.login import attempts
from sessions_app.models import (
    Context,
    Invitation,
    LoginAttempt,
    LoginState,
    Session,
    SessionState,
    Team,
    User,
)
from sessions_app.people.roles import Role
from tests import catalogue
from tests.conftest import Cast, make_user
from tests.messaging.builders import make_session, receive, text_message
from weilink_site.pages.texts import texts

HTMX = {"HX-Request": "true"}

# The catalogue


def test_every_string_of_the_sources_is_in_the_catalogue() -> None:
    known = {entry.key for entry in catalogue.entries()}
    sources = catalogue.source_strings()
    assert len(sources) > 300
    missing = {key: path.name for key, path in sources.items() if key not in known}
    assert not missing, "run `make messages` and translate"


def test_every_string_is_translated_and_none_is_guessed() -> None:
    assert not [one.english for one in catalogue.entries() if not one.chinese or one.is_fuzzy]


def test_placeholders_are_those_of_the_english() -> None:
    wrong = [
        (one.english, one.chinese)
        for one in catalogue.entries()
        if one.placeholders != one.placeholders_kept
    ]
    assert not wrong


def test_the_compiled_catalogue_says_what_the_readable_one_says() -> None:
    with (catalogue.FOLDER / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    stale = [one.english for one in catalogue.entries() if _compiled(compiled, one) != one.chinese]
    assert not stale, "run `make messages`"


def _compiled(compiled: gettext.GNUTranslations, one: catalogue.Entry) -> str:
    if one.plural and one.context:
        return compiled.npgettext(one.context, one.english, one.plural, 1)
    if one.plural:
        return compiled.ngettext(one.english, one.plural, 1)
    if one.context:
        return compiled.pgettext(one.context, one.english)
    return compiled.gettext(one.english)


def test_a_reader_of_chinese_source_strings_finds_each_kind_of_call(tmp_path: Path) -> None:
    """The reader of the sources is code too: it must see what makemessages sees."""
    page = tmp_path / "page.html"
    page.write_text(
        '{% translate "one" %} plain {% translate "two" context "c" %}'
        "{% blocktranslate with a=b %}three {{ a }}{% endblocktranslate %}"
        "{% blocktranslate count n=m %}four{% plural %}fours{% endblocktranslate %}"
    )
    code = tmp_path / "code.py"
    code.write_text('_("five"); pgettext_lazy("c", "six"); ngettext("seven", "sevens", n); f("no")')
    found = [*catalogue._in_template(page), *catalogue._in_code(code)]
    assert found == [
        ("", "one"), ("c", "two"), ("", "three %(a)s"), ("", "four"),
        ("", "five"), ("c", "six"), ("", "seven"),
    ]  # fmt: skip


# Dates and times


@pytest.mark.parametrize(
    ("back", "words"), [(0, r"\d\d:\d\d"), (2, "周[一二三四五六日]"), (400, r"\d{4}年\d+月\d+日")]
)
def test_lists_show_times_as_chinese_readers_write_them(back: int, words: str) -> None:
    moment = timezone.now() - timedelta(days=back)
    with translation.override("zh-hans"):
        shown = Template("{{ moment|listed }}").render(TemplateContext({"moment": moment}))
    assert re.search(rf">{words}</time>", shown), shown


# The pages. Names are Chinese, so that what is Latin in them is ours.

# Brand and product words, what is typed as it stands, and the other language's own name.
CAST = {"otto"}
ALLOWED = {
    "WeiLink",
    "Enter",
    "English",
    "ID",
    "API",
    "Everyone",
    "Asia/Shanghai",
    "MB",
    "GB",
    "Wi",
    "Fi",
} | CAST
SHOWN = ("aria-label", "title", "placeholder", "alt", "content", "data-title", "data-day-words")
SILENT = {"script", "style", "code", "svg", "kbd"}


class _Visible(HTMLParser):
    """What a reader sees or hears of a page: text, and the attributes that are read out."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in SILENT
        if tag != "meta":
            self.said += [value for name, value in attrs if name in SHOWN and value]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in SILENT

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.said.append(data.strip())


def english_in(page: str) -> list[str]:
    """Texts with a Latin word of two letters or more; ids and allowed words are none."""
    visible = _Visible()
    visible.feed(page)
    return [text for text in visible.said if _english(text)]


def _english(text: str) -> list[str]:
    bare = re.sub(r"\S*@\S*|\{\w+\}", " ", text)
    words = re.findall(r"[A-Za-z][A-Za-z/]+", bare)
    return [word for word in words if word not in ALLOWED]


def as_(user: User | None) -> Client:
    client = Client(headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"})
    if user is not None:
        client.force_login(user)
    return client


def shown(user: User | None, address: str, *, status: int = 200) -> str:
    answer = as_(user).get(address)
    assert answer.status_code == status
    return answer.content.decode()


@pytest.fixture
def operator(cast: Cast) -> User:
    return make_user("小王", Role.OPERATOR, cast.team)


@pytest.fixture
def agent(cast: Cast) -> User:
    return make_user("小李", Role.AGENT, cast.team)


def test_the_reader_of_pages_finds_english_and_lets_names_pass() -> None:
    page = '<p title="Open it">按 Enter 发送 小店@im.bot</p><p>还剩 3 left</p><svg><p>no</p></svg>'
    assert english_in(page) == ["Open it", "还剩 3 left"]


@pytest.mark.django_db
def test_the_login_is_chinese_and_so_is_its_refusal() -> None:
    assert english_in(shown(None, "/accounts/login/")) == []
    wrong = as_(None).post("/accounts/login/", {"username": "x", "password": "y"})
    assert "用户名或密码不正确" in wrong.content.decode()
    assert english_in(wrong.content.decode()) == []
    empty = as_(None).post("/accounts/login/", {}).content.decode()
    assert english_in(empty) == []


def _sessions_in_every_state() -> Iterator[Session]:
    for number, state in enumerate(SessionState):
        session = make_session(f"小店 {number}")
        session.state, session.errors_in_row = state, 3
        session.bot_id, session.owner_id = f"{number}@im.bot", f"{number}@im.wechat"
        if state is SessionState.FAILING:
            session.error_code, session.error_detail = "http", "502"
            session.next_poll_at = timezone.now() + timedelta(seconds=24)
        session.save()
        session.events.create(kind="state", state=state, code="signed_out")
        session.events.create(kind="renamed", detail="旧店 → 小店")
        session.events.create(kind="bound", detail="小店@im.bot")
        session.events.create(kind="stray", detail="")
        yield session


@pytest.mark.django_db
def test_the_board_and_its_sessions_are_chinese_in_every_state(operator: User) -> None:
    assert english_in(shown(operator, "/sessions/")) == []
    sessions = list(_sessions_in_every_state())
    board = shown(operator, "/sessions/")
    for words in ("微信登录已失效", "由其他程序接收", "微信返回 502，已连续 3 次；"):
        assert words in board
    assert english_in(board) == []
    for session in sessions:
        page = shown(operator, f"/sessions/{session.name}/")
        assert english_in(page) == []
    for page in ("rename", "log-out"):
        assert english_in(shown(operator, f"/sessions/小店 0/{page}/")) == []
    assert english_in(shown(operator, "/sessions/-/add/")) == []
    nameless = as_(operator).post("/sessions/-/add/", {"name": ""}).content.decode()
    assert english_in(nameless) == []


@pytest.mark.django_db
@pytest.mark.parametrize("status", LoginState)
def test_the_qr_dialog_is_chinese_at_every_step(
    cast: Cast, operator: User, status: LoginState
) -> None:
    attempt = attempts.start_login(user=operator, session_name="小店", team=cast.team)
    soon = timezone.now() + timedelta(minutes=4)
    for address in ("", "https://x.weixin.qq.com/q"):
        LoginAttempt.objects.update(status=status, qr_url=address, qr_number=1, expires_at=soon)
        answer = as_(operator).get(f"/sessions/logins/{attempt.pk}/", headers=HTMX)
        page = answer.content.decode()
        assert f'data-status="{status}"' in page
        assert english_in(page) == []
    if status is LoginState.WAITING:
        assert "后自动刷新（第 1 个，共 3 个）" in page


FATES = [
    ("queued", ""), ("queued", "not_reached"), ("sending", ""), ("sent", ""), ("cancelled", ""),
    ("failed", "refused"), ("failed", "quota_exhausted"), ("unconfirmed", "no_id"),
    ("unconfirmed", "line_broken"), ("unconfirmed", "worker_lost"), ("unconfirmed", "restored"),
]  # fmt: skip


def _reply(conversation: Conversation, agent: User, status: str, code: str) -> None:
    """One reply with this fate; our count is set back, so that the next may be posted."""
    before = set(Message.objects.values_list("pk", flat=True))
    form = {"text": "好的", "draft_key": uuid.uuid4().hex}
    assert (
        as_(agent).post(f"/inbox/{conversation.pk}/reply/", form, headers=HTMX).status_code == 200
    )
    holds = status in {"failed", "unconfirmed"}
    columns = {"status": status, "error_code": code, "error_detail": "-2", "holds_queue": holds}
    Message.objects.exclude(pk__in=before).update(**columns, next_try_at=timezone.now())
    Context.objects.update(replies_used=0)


@pytest.mark.django_db
def test_the_inbox_is_chinese_with_replies_of_every_fate(agent: User) -> None:
    assert english_in(shown(agent, "/inbox/")) == []
    session = make_session("小店")
    receive(session, text_message("我的包裹在哪里？", create_time_ms=None), text_message("在吗"))
    conversation = Conversation.objects.get()
    for status, code in FATES:
        _reply(conversation, agent, status, code)
    Message.objects.filter(text="在吗").update(created_at=timezone.now() - timedelta(days=40))
    page = shown(agent, f"/inbox/{conversation.pk}/")
    for words in ("微信已接收", "已接收，无回执", "发送时断线，回复可能已送达", "客服："):
        assert words in page
    assert english_in(page) == []
    assert english_in(shown(agent, f"/inbox/{conversation.pk}/name/")) == []
    for kind in MessageKind:
        Conversation.objects.update(last_kind=kind, last_text=kind)
        if kind is not MessageKind.TEXT:
            assert english_in(shown(agent, "/inbox/")) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("hours", "used", "state"),
    [(25, 0, "connected"), (1, 10, "connected"), (23.5, 8, "connected"), (1, 0, "expired")],
)
def test_a_thread_with_little_or_nothing_left_is_chinese(
    agent: User, hours: float, used: int, state: str
) -> None:
    session = make_session("小店")
    receive(session, text_message("在吗"))
    heard = timezone.now() - timedelta(hours=hours)
    Context.objects.update(received_at=heard, replies_used=used)
    closes = heard + timedelta(hours=24)
    Conversation.objects.update(closes_at=closes, replies_used=used)
    Session.objects.update(state=state)
    conversation = Conversation.objects.get()
    assert english_in(shown(agent, f"/inbox/{conversation.pk}/")) == []
    form = {"text": "好的" * 5_000, "draft_key": "k"}
    refused = as_(agent).post(f"/inbox/{conversation.pk}/reply/", form, headers=HTMX)
    assert refused.status_code == 422
    assert english_in(refused.content.decode()) == []


@pytest.mark.django_db
def test_an_invitation_is_chinese_for_strangers_and_operators(cast: Cast, operator: User) -> None:
    Team.objects.filter(pk=cast.team.pk).update(name="一组")
    made = invitations.make_invitation(
        user=operator, team=cast.team, prefix="展会", label="", per_hour=1, in_all=9
    )
    page = f"/invite/{made.code}/"
    assert english_in(shown(None, page)) == []
    assert as_(None).post(f"{page}again/").status_code == 302
    refused = as_(None).post(f"{page}again/")
    assert refused.status_code == 429
    assert english_in(refused.content.decode()) == []
    assert english_in(shown(operator, "/sessions/-/invitations/")) == []
    for columns in ({"made_by": None}, {"expires_at": timezone.now()}):
        Invitation.objects.update(**columns)
        assert english_in(shown(operator, "/sessions/-/invitations/")) == []
    assert english_in(shown(None, page, status=410)) == []


@pytest.mark.django_db
def test_the_settings_are_chinese_and_so_are_their_refusals(cast: Cast) -> None:
    administrator = make_user("小陈", Role.ADMINISTRATOR)
    Team.objects.filter(pk=cast.other_team.pk).update(name="二组")
    assert english_in(shown(administrator, "/settings/")) == []
    assert english_in(shown(administrator, f"/settings/teams/{cast.other_team.pk}/")) == []
    refused = as_(administrator).post("/settings/", {"window_hours": "0"})
    assert "请输入 1 到 168 的整数。" in refused.content.decode()
    assert english_in(refused.content.decode()) == []


@pytest.mark.django_db
def test_refusals_and_the_words_of_the_scripts_are_chinese(cast: Cast, agent: User) -> None:
    assert english_in(shown(agent, "/sessions/", status=403)) == []
    assert english_in(shown(agent, "/nowhere/", status=404)) == []
    assert english_in(shown(make_user("小赵"), "/")) == []
    with translation.override("zh-hans"):
        assert {key: words for key, words in texts().items() if _english(words)} == {}
