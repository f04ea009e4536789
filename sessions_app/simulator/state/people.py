"""The scripted people: fixed WeChat ids, names and what they say. Data only.

The wire has no names, so the demo's setup reads `SCRIPTED_NAMES` to name its contacts. `scripts`
decides who writes when.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Line:
    """One message. `after_s`: seconds after the previous one (or the reply that it reacts to)."""

    text: str
    kind: str = "text"
    after_s: float = 3.0
    more: tuple[str, ...] = ()
    """More text items in the same message."""
    file_name: str = ""
    quotes_reply: bool = False
    """Quote the bot's newest reply, if there is one."""


@dataclass(frozen=True, slots=True)
class Person:
    user_id: str
    name: str
    opening: tuple[Line, ...]
    reactions: tuple[Line, ...]
    """One per reply, in turn. After the last the person writes no more."""


def _id(word: str) -> str:
    return f"o9cq80{word:0<22}@im.wechat"


PEOPLE: tuple[Person, ...] = (
    Person(
        _id("demoLiNa"),
        "李娜",
        (
            Line("你好，我上周买的蓝色外套还没有收到", after_s=0.6),
            Line("订单号是 SF1039，麻烦帮我查一下", after_s=4),
            Line("我已经等了三天了，能不能今天送到", "voice", after_s=9),
        ),
        (
            Line("好的，大概几点能到？", after_s=4),
            Line("我下午在家，四点以后都可以", quotes_reply=True, after_s=5),
            Line("谢谢，辛苦了 🙏", after_s=3),
        ),
    ),
    Person(
        _id("demoWang"),
        "王师傅",
        (
            Line("", "image", after_s=1.2, file_name="machine.png"),
            Line("机器又不出水了，这个灯一直闪", after_s=3),
        ),
        (
            Line("断电试过了，没用", after_s=4),
            Line("行，那明天上午过来吧，我在店里", after_s=5),
            Line("", "image", after_s=4, file_name="label-2.png"),
            Line("收到，麻烦了师傅", after_s=3),
        ),
    ),
    Person(
        _id("demoTom"),
        "Tom Baker",
        (
            Line("Hi! Can I change the colour of my order to blue?", after_s=1.8),
            Line("Order 2288, placed yesterday evening", after_s=4),
        ),
        (
            Line("Great, thanks. Will it still ship tomorrow?", after_s=4),
            Line("Perfect. One more thing: do you send an invoice by mail?", after_s=5),
            Line("Brilliant, that's all. Have a nice day 👋", after_s=3),
        ),
    ),
    Person(
        _id("demoChen"),
        "陈先生",
        (
            Line(
                "您好，想问一下批发价",
                after_s=2.4,
                more=("白色 200 件", "黑色 150 件", "下个月 5 号前要"),
            ),
        ),
        (
            Line("能开增值税发票吗？", after_s=4),
            Line("抬头发给您", "file", after_s=4, file_name="开票信息.txt"),
            Line("好，那就按这个价格，合同发我看看", quotes_reply=True, after_s=5),
        ),
    ),
    Person(
        _id("demoZhao"),
        "赵丽",
        (
            Line("衣服收到了，但是尺码不对，我想换大一号的", "voice", after_s=3.0),
            Line("", "image", after_s=5, file_name="size.png"),
        ),
        (
            Line("运费谁出呀？", after_s=4),
            Line("好的，我明天寄回去", after_s=4),
            Line("[微笑]", after_s=3),
        ),
    ),
    Person(
        _id("demoAnna"),
        "Anna 安娜",
        (
            Line("Hello, 请问你们周末营业吗？", after_s=3.6),
            Line("I'd like to pick up my parcel on Saturday", after_s=5),
        ),
        (
            Line("Which entrance should I use?", after_s=4),
            Line("明白了，谢谢！See you on Saturday", after_s=4),
        ),
    ),
    Person(
        _id("demoZhang"),
        "张阿姨",
        (
            Line("小姑娘，上次那个豆浆机的滤网还有没有卖的呀", after_s=4.4),
            Line("型号我拍给你看", after_s=4),
            Line("", "image", after_s=2, file_name="filter-net.png"),
        ),
        (
            Line("多少钱一个？", after_s=4),
            Line("那要两个，还是上次的地址", after_s=5),
            Line("好的好的，谢谢你啊", after_s=3),
        ),
    ),
    Person(
        _id("demoMarc"),
        "Marc Dubois",
        (
            Line("Good morning, my tracking number shows no movement since Friday.", after_s=5.2),
            Line("Here is the receipt", "file", after_s=4, file_name="receipt-4417.pdf"),
        ),
        (
            Line("I see. Could you ask the carrier, please?", after_s=5),
            Line("Thank you, I'll wait for your message", after_s=4),
        ),
    ),
    Person(
        _id("demoLiu"),
        "刘洋",
        (Line("在吗？充电器坏了，还在保修期吗", after_s=6.0),),
        (
            Line("去年十二月买的", after_s=3),
            Line("开箱视频我还留着", "video", after_s=4),
            Line("行，那我寄过去，地址发我一下", after_s=4),
            Line("ok", after_s=2),
        ),
    ),
    Person(
        _id("demoSophie"),
        "Sophie Klein",
        (
            Line("Is the green mug back in stock? 🙂", after_s=6.8),
            Line("I need six of them as a present", after_s=3),
        ),
        (
            Line("Wonderful! Can you gift-wrap them?", after_s=4),
            Line("Yes please, the red paper", quotes_reply=True, after_s=4),
        ),
    ),
    Person(
        _id("demoHuang"),
        "黄老板",
        (
            Line("上批货有三箱破损，照片发你", after_s=7.6),
            Line("", "image", after_s=2, file_name="box-1.png"),
            Line("", "image", after_s=1.5, file_name="box-no-2.png"),
        ),
        (
            Line("补发还是退款都行，尽快就好", after_s=4),
            Line("好，合作愉快", after_s=4),
        ),
    ),
    Person(
        _id("demoYuki"),
        "小雪",
        (Line("请问生日蛋糕今天下单明天能取吗？8 寸的，写“妈妈生日快乐”", after_s=8.4),),
        (
            Line("要水果的，不要巧克力", after_s=3),
            Line("上午十一点来取可以吗", after_s=4),
            Line("太好啦，谢谢 🎂", after_s=3),
        ),
    ),
)

SCRIPTED_NAMES: Mapping[str, str] = MappingProxyType({p.user_id: p.name for p in PEOPLE})
PEOPLE_BY_ID: Mapping[str, Person] = MappingProxyType({p.user_id: p for p in PEOPLE})
