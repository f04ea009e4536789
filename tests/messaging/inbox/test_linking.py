"""What in a text is an address, and what only looks like one."""

import time

import pytest

from messaging.text.linking import addresses
from messaging.text.rich_text import shown

WECHAT_MOST = 16_384


def found(text: str) -> list[tuple[str, str]]:
    return [(one.href, one.shown) for one in addresses(text)]


@pytest.mark.parametrize(
    ("text", "href", "words"),
    [
        ("电话138 0013 8000，谢谢", "tel:13800138000", "138 0013 8000"),
        ("请打138-0013-8000。", "tel:13800138000", "138-0013-8000"),
        ("（13800138000）", "tel:13800138000", "13800138000"),
        ("Tel:13800138000.", "tel:13800138000", "13800138000"),
        ("+86 138 0013 8000", "tel:+8613800138000", "+86 138 0013 8000"),
        ("call +49 30 901820 now", "tel:+4930901820", "+49 30 901820"),
        ("+49 (0)30 901820", "tel:+4930901820", "+49 (0)30 901820"),
        ("ring +49 30 901820 (12 Uhr)", "tel:+4930901820", "+49 30 901820"),
        ("+1 (415) 555-2671", "tel:+14155552671", "+1 (415) 555-2671"),
        ("+852 2345 6789", "tel:+85223456789", "+852 2345 6789"),
        ("客服400-820-8820！", "tel:4008208820", "400-820-8820"),
        ("打0571-88886666。", "tel:057188886666", "0571-88886666"),
        ("写信给a.b+c@mail.example.co.uk，", "mailto:a.b+c@mail.example.co.uk",
         "a.b+c@mail.example.co.uk"),
        ("“me@example.com”", "mailto:me@example.com", "me@example.com"),
        ("看www.example.com/a?b=1。好", "https://www.example.com/a?b=1",
         "www.example.com/a?b=1"),
        ("WWW.Example.Com,", "https://WWW.Example.Com", "WWW.Example.Com"),
        ("taobao.com上有", "https://taobao.com", "taobao.com"),
        ("https://a.example/x；", "https://a.example/x", "https://a.example/x"),
    ],
)  # fmt: skip
def test_an_address_ends_where_it_ends(text: str, href: str, words: str) -> None:
    assert found(text) == [(href, words)]
    assert f'href="{href}"' in shown(text).replace("&amp;", "&")


@pytest.mark.parametrize("between", ["、", " / ", "/", "，"])
def test_two_numbers_are_two_links(between: str) -> None:
    assert [href for href, _words in found(f"13800138000{between}13900139000")] == [
        "tel:13800138000", "tel:13900139000",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "订单号13912345678", "订单号：13912345678", "order no. 13912345678", "ID: 13912345678",
        "#13912345678", "SF13912345678", "123456789012345678", "6222021380013800138",
        "6217 1380 0138 0001 138", "wxid_13800138000", "13800138000123",
        "2026-11-28 14:02", "28.11.2026", "14:02:33", "010-2024-0115",
        "¥13800138000", "13800138000.50", "1,380,013,800", "+20 000 000", "+10 000 000 元",
        "+12.5%", "+1.000.000", "3.14159265358",
        "192.168.1.1", "10.0.0.138", "v1.3.8", "1.2.3.4.5",
        "readme.md", "node.js", "asp.net", "setup.py", "a@b.c", "@mei", "ftp://a.example",
    ],
)  # fmt: skip
def test_what_only_looks_like_one_is_text(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)", "JAVASCRIPT://www%0aalert(1)", "data:text/html,<script>x</script>",
        "https://bank.example@evil.example/x", "https://bank.example:x@evil.example",
        "httpſ://a.example/", "www.goog\u212ae.com", "www.gr\u00fcner.de",
        "m\u00fcller@example.com", "https://muc-m\u00fc.de/x",
        "www.\u0430pple.com", "１３８００１３８０００", "٠١٣٨٠٠١٣٨٠٠٠",
    ],
)  # fmt: skip
def test_no_trick_becomes_a_link(text: str) -> None:
    assert found(text) == []


def test_a_link_carries_no_markup_and_reads_left_to_right() -> None:
    markup = shown('\u202ewww.example.com/"><img src=x onerror=alert(1)>')
    assert '<a href="https://www.example.com/" target="_blank"' in markup
    assert 'dir="ltr">www.example.com/</a>' in markup
    assert "<img" not in markup
    assert "<b>" not in shown("mail <b>a@example.com</b>")


@pytest.mark.parametrize(
    "piece",
    ["a", "1", "1 ", "a@a.", "+1 ", "+49(", "www.", "a.", "a-", "a%", "[", "@", "0571-",
     "138 0013 ", "http://a)", "https://a@", "400-", "+4(0)"],
)  # fmt: skip
def test_the_longest_text_takes_the_time_of_its_length(piece: str) -> None:
    """Twice as long, about twice as slow: what tries every way takes four times as long or more."""
    whole = (piece * WECHAT_MOST)[:WECHAT_MOST]
    assert _seconds(whole) < 3.2 * _seconds(whole[: len(whole) // 2]) + 0.002


def _seconds(text: str) -> float:
    def once() -> float:
        began = time.process_time()
        list(addresses(text))
        return time.process_time() - began

    return min(once() for _ in range(5))
