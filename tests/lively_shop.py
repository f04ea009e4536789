"""A day in a shop for pictures: who wrote to which session when, who answered, what else was done.

Told to a demo through the simulator and, for what agents do, beside it on its data; then each line
gets the time at which it is to have happened.
"""

import base64
import io
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

from PIL import Image, ImageDraw

from tests.browser.demo_process import Demo
from tests.browser.shop import MAKE_AGENTS

SHOP, REPAIRS, WHOLESALE, CAFE = "Shop A", "Repairs 售后", "批发", "Café"
OWNERS = {SHOP: "Lin", REPAIRS: "Guo", WHOLESALE: "Mei", CAFE: "周杰"}
OPENED, PARKED, CLOSING, UNSURE = "李娜", "Marc Dubois", "王师傅", "陈先生"
"""Whose conversations are shown for themselves."""


@dataclass(frozen=True, slots=True)
class Line:
    """`by` empty: the customer. `kind`: text, image, voice, file; note, take, label, resolve.

    `before`: minutes before now. `quotes`: the agent's text that the customer answers.
    """

    before: float
    text: str = ""
    by: str = ""
    kind: str = "text"
    quotes: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """`unread`: how many of the last ones no agent has seen."""

    person: str
    session: str
    lines: Sequence[Line]
    unread: int = 0
    parked: str = ""


STORIES = (
    Story(OPENED, SHOP, (
        Line(96, "你好，我上周买的蓝色外套还没有收到"),
        Line(95, "订单号是 SF1039，麻烦帮我查一下"),
        Line(93, "您好，稍等，我查一下物流", "admin"),
        Line(92, by="admin", kind="take"),
        Line(91, "@mei 快递说今天下午派送，请盯一下 SF1039", "admin", "note"),
        Line(88, "包裹已到本市，今天下午 4 点左右送到", "admin"),
        Line(86, by="admin", kind="label", text="物流"),
        Line(9, "我下午在家，四点以后都可以", quotes="包裹已到本市，今天下午 4 点左右送到"),
        Line(8, "顺便问一下，这个颜色还有 M 码吗？"),
        Line(7, kind="image", text="coat"),
    )),
    Story("Tom Baker", SHOP, (
        Line(41, "Hi! Can I change the colour of my order to blue?"),
        Line(38, "Of course. Order 2288, the mug, in blue?", "wei"),
        Line(4, "Yes, exactly. Will it still ship tomorrow?"),
        Line(3, "And could you add a card, please?"),
    ), unread=2),
    Story("张阿姨", REPAIRS, (
        Line(16, "小姑娘，上次那个豆浆机的滤网还有没有卖的呀"),
        Line(15, kind="image", text="machine"),
    ), unread=2),
    Story("Sophie Klein", SHOP, (
        Line(64, "Is the green mug back in stock? I need six of them as a present 🙂"),
    ), unread=1),
    Story("赵丽", SHOP, (
        Line(150, "衣服收到了，但是尺码不对，我想换大一号的", kind="voice"),
        Line(142, "可以换，运费我们承担。地址我发给您", "mei"),
        Line(141, by="mei", kind="take"),
        Line(140, by="mei", kind="label", text="退换"),
        Line(118, "好的，我明天寄回去，谢谢 🙏"),
        Line(117, "不客气，收到后当天给您换", "mei"),
    )),
    Story(UNSURE, WHOLESALE, (
        Line(205, "您好，想问一下批发价：白色 200 件，黑色 150 件，下个月 5 号前要"),
        Line(190, "白色 38 元，黑色 40 元，含税含运费", "admin"),
        Line(170, "能开增值税发票吗？"),
        Line(165, "可以开 13% 专票，发一下抬头就行", "admin", "lost"),
    )),
    Story("Anna 安娜", CAFE, (
        Line(260, "Hello, 请问你们周末营业吗？"),
        Line(250, "We are open on Saturday from 9 to 18.", "wei"),
        Line(244, "明白了，谢谢！See you on Saturday"),
        Line(243.5, "See you!", "wei"),
        Line(243, by="wei", kind="resolve"),
    )),
    Story("黄老板", WHOLESALE, (
        Line(330, "上批货有三箱破损，照片发你"),
        Line(310, "收到，三箱明天补发，单号随后给您", "mei"),
        Line(309, by="mei", kind="take"),
        Line(290, "好，合作愉快"),
        Line(289, "合作愉快", "mei"),
    )),
    Story(CLOSING, REPAIRS, (
        Line(1412, kind="image", text="machine"),
        Line(1411, "机器又不出水了，这个灯一直闪"),
        Line(1400, "先断电十分钟再试一次，可以吗？", "wei"),
        Line(1394, "断电试过了，没用"),
    )),
    Story(PARKED, REPAIRS, (
        Line(1590, "Good morning, my tracking number shows no movement since Friday."),
        Line(1575, "I am asking the carrier and will write as soon as I know more.", "admin"),
        Line(1570, "Thank you, I'll wait for your message"),
    ), parked="The carrier found it: it arrives on Monday before noon."),
)  # fmt: skip

CAST = """
from sessions_app.models import User
User.objects.filter(username="admin").update(first_name="Lan")
"""
ACT = """
import json
from messaging.replying import notes, sending; from messaging.conversations import work
from messaging.models import Conversation
from sessions_app.models import User
from sessions_app.team_settings.limits import TeamSettings
for person, by, kind, text in json.loads(%r):
    user = User.objects.get(username=by)
    thread = Conversation.objects.get(team_contact__name=person)
    ids = [thread.pk]
    key = f"picture-{thread.pk}-{thread.messages.count()}"
    if kind == "note":
        notes.write_note(user=user, conversation=thread, text=text, draft_key=key)
    elif kind == "take":
        work.assign(ids=ids, assignee=user, user=user)
    elif kind == "label":
        work.label(ids=ids, user=user, add=[text])
    elif kind == "resolve":
        work.resolve(ids=ids, user=user)
    else:
        wish = sending.Wish(text=text, draft_key=key)
        sending.send(user=user, conversation=thread, wish=wish, limits=TeamSettings())
"""
TIMES = """
import json
from datetime import timedelta
from django.utils import timezone
from messaging.replying import parking
from messaging.models import Conversation, Message
from sessions_app.models import Context, QuarterHour, Session, SessionEvent, User
from sessions_app.sessions.quarters import QUARTER, quarter_of
from sessions_app.team_settings.limits import TeamSettings
now = timezone.now()
admin = User.objects.get(username="admin")
for person, before, unread, parked in json.loads(%r):
    thread = Conversation.objects.get(team_contact__name=person)
    rows = list(thread.messages.order_by("id"))
    for row, minutes in zip(rows, before, strict=True):
        row.created_at = now - timedelta(minutes=minutes)
        row.save(update_fields=["created_at"])
    spoken = [row for row in rows if row.direction in ("in", "out")]
    came = [row for row in spoken if row.direction == "in"]
    answers = [row for row in spoken if row.direction == "out" and row.status == "sent"]
    asked = [row for row in came if not answers or row.id > answers[-1].id]
    thread.last_at = spoken[-1].created_at
    thread.closes_at = came[-1].created_at + timedelta(hours=24)
    thread.created_at = rows[0].created_at
    if thread.waiting_since:
        thread.waiting_since = asked[0].created_at
    thread.unread = unread
    thread.read_up_to = came[-unread - 1].id if len(came) > unread else 0
    thread.save()
    thread.contact.created_at = rows[0].created_at
    thread.contact.save()
    Context.objects.filter(user_id=thread.contact.user_id).update(received_at=came[-1].created_at)
    if parked:
        limits = TeamSettings()
        parking.park(user=admin, conversation=thread, text=parked, draft_key="", limits=limits)
for number, session in enumerate(Session.objects.order_by("id")):
    spoken = session.messages.order_by("created_at")
    Session.objects.filter(pk=session.pk).update(
        last_message_at=spoken.filter(direction="in").last().created_at,
        last_sent_at=spoken.filter(direction="out").last().created_at,
        created_at=now - timedelta(days=6), bound_at=now - timedelta(days=6),
        state_since=now - timedelta(minutes=12 if session.state != "connected" else 8_000),
    )
    SessionEvent.objects.filter(session=session).update(at=now - timedelta(days=6))
    began = quarter_of(now)
    QuarterHour.objects.bulk_create(
        [
            QuarterHour(session=session, began_at=began - QUARTER * back, heard=True,
                        errors=2 if number == 1 and back in (31, 32, 58) else 0)
            for back in range(1, 96)
        ],
        ignore_conflicts=True,
    )
"""


def live_through(demo: Demo) -> None:
    """All of `STORIES`; the sessions are bound already. Ends with everything at rest."""
    demo.control("switches", scripts_on=False)
    demo.python(MAKE_AGENTS + CAST)
    people = {name: user_id for user_id, name in demo.read("people").items()}
    accounts = {one["user_id"]: one["name"] for one in demo.read("accounts")}
    bots = {accounts[one["account_id"]]: one["bot_id"] for one in demo.read("bots") if one["alive"]}
    rounds = [_turns(one) for one in STORIES]
    for turn in range(max(len(one) for one in rounds)):
        acts = []
        for story, turns in reversed(list(zip(STORIES, rounds, strict=True))):
            for line in turns[turn] if turn < len(turns) else ():
                if line.by:
                    acts.append((story.person, line.by, line.kind, line.text))
                else:
                    bot, person = bots[OWNERS[story.session]], people[story.person]
                    demo.control("write", bot_id=bot, person_id=person, **_carried(demo, line))
        _until(lambda: not any(one["waiting"] for one in demo.read("bots")))
        if acts:
            _act(demo, acts)
    times = [
        (one.person, [line.before for line in one.lines], one.unread, one.parked) for one in STORIES
    ]
    demo.control("end_bot", bot_id=bots[OWNERS[CAFE]])
    time.sleep(3)  # until the console has heard of it
    demo.python(TIMES % json.dumps(times))


def _turns(story: Story) -> list[list[Line]]:
    """The customer's and the agents' lines by turns; the customer begins."""
    return [list(lines) for _by, lines in groupby(story.lines, key=lambda one: bool(one.by))]


def _act(demo: Demo, acts: Sequence[tuple[str, ...]]) -> None:
    """What agents do; an answer is lost on its way where the story says so."""
    for is_lost in (False, True):
        now = [one for one in acts if (one[2] == "lost") == is_lost]
        if now and is_lost:
            demo.control("add_fault", kind="lost", path="*sendmessage", times=len(now))
        if now:
            demo.python(ACT % json.dumps(now))
        texts = {text for _person, _by, kind, text in now if kind in ("text", "lost")}
        _until(partial(_sent, demo, texts))
        time.sleep(1)  # until the console has WeChat's answer too


def _sent(demo: Demo, texts: set[str]) -> bool:
    return texts <= {one["text"] for one in demo.read("sends")}


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.2)


def _carried(demo: Demo, line: Line) -> dict[str, Any]:
    if line.kind == "image":
        out = io.BytesIO()
        PICTURES[line.text]().save(out, "PNG")
        return {"kind": "image", "content_base64": base64.b64encode(out.getvalue()).decode()}
    if line.quotes:
        sent = next(one for one in demo.read("sends") if one["text"] == line.quotes)
        return {"text": line.text, "quote_of": str(sent["message_id"])}
    return {"text": line.text, "kind": line.kind}


def _coat() -> Image.Image:
    """A blue coat on a hanger."""
    picture = Image.new("RGB", (480, 560), "#e9e4da")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 470, 480, 560), fill="#cfc4b2")
    pen.arc((222, 30, 258, 70), 160, 20, fill="#7a6a55", width=6)
    pen.line((240, 70, 130, 130, 350, 130, 240, 70), fill="#7a6a55", width=7)
    pen.polygon([(150, 130), (330, 130), (372, 470), (108, 470)], fill="#2f5fa8")
    pen.polygon([(150, 130), (176, 150), (130, 380), (78, 366)], fill="#28528f")
    pen.polygon([(330, 130), (304, 150), (350, 380), (402, 366)], fill="#28528f")
    pen.polygon([(205, 130), (275, 130), (240, 210)], fill="#e9e4da")
    pen.line((240, 210, 240, 470), fill="#1f4378", width=4)
    for y in range(240, 460, 55):
        pen.ellipse((250, y, 264, y + 14), fill="#d9c27a")
    return picture


def _machine() -> Image.Image:
    """A kitchen machine with a light that is not to be on."""
    picture = Image.new("RGB", (520, 400), "#dfe7e4")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 320, 520, 400), fill="#b9a58c")
    pen.rounded_rectangle((170, 60, 350, 340), 26, fill="#f7f5f1", outline="#c9c4ba", width=4)
    pen.rounded_rectangle((195, 90, 325, 190), 14, fill="#39424a")
    pen.ellipse((246, 126, 274, 154), fill="#ff5b4a", outline="#ffb3a8", width=6)
    pen.rounded_rectangle((215, 220, 305, 240), 8, fill="#c9c4ba")
    pen.polygon([(222, 262), (298, 262), (288, 330), (232, 330)], fill="#9fc4d8")
    return picture


PICTURES = {"coat": _coat, "machine": _machine}
