"""File names as headers carry them: Chinese right, hostile ones harmless."""

import re

import pytest

from messaging.media.names import disposition, download_name

HARMLESS = re.compile(
    r'attachment; filename="[^"\\\x00-\x1f\x7f]*"'
    r"(; filename\*=UTF-8''[A-Za-z0-9!#$&+.^_`|~%-]*)?"
)


def header(name: str) -> str:
    return disposition(download_name(name, "file-1"), inline=False)


def test_a_plain_name_stands_for_itself() -> None:
    assert header("invoice SF1039.pdf") == 'attachment; filename="invoice SF1039.pdf"'
    assert disposition("a.png", inline=True) == 'inline; filename="a.png"'


def test_a_chinese_name_comes_in_both_forms() -> None:
    assert header("发票.pdf") == (
        "attachment; filename=\"__.pdf\"; filename*=UTF-8''%E5%8F%91%E7%A5%A8.pdf"
    )
    assert header("😀 it's.png").endswith("filename*=UTF-8''%F0%9F%98%80%20it%27s.png")


@pytest.mark.parametrize(
    "name",
    [
        'a"; filename="evil.exe',
        "a\r\nSet-Cookie: x=1.txt",
        "a\x00b.txt",
        "..\\..\\windows\\evil.bat",
        "../../etc/passwd",
        "invoice\u202efdp.exe",
        "100%.txt",
        "\ud800.txt",
    ],
)
def test_a_hostile_name_stays_inside_its_quotes(name: str) -> None:
    value = header(name)
    value.encode("ascii")
    assert HARMLESS.fullmatch(value)
    for sign in ("%0A", "%0D", "%00", "%2F", "%5C", "%E2%80%AE", "%22"):
        assert sign not in value


def test_what_is_too_long_keeps_its_ending_and_what_is_empty_gets_a_name() -> None:
    assert len(download_name("长" * 100 + ".docx", "x").encode()) <= 255
    assert download_name("长" * 100 + ".docx", "x").endswith("长.docx")
    assert download_name("a" * 300, "x") == "a" * 255
    for name in ("", " . ", "..."):
        assert download_name(name, "file-7") == "file-7"
