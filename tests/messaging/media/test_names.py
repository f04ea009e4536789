"""File names as headers carry them: Chinese right, hostile ones harmless."""

import re

import pytest
from django.utils.http import content_disposition_header

from messaging.media.names import download_name

HARMLESS = re.compile(
    r'attachment; (filename="[^"\\\x00-\x1f\x7f]*"|'
    r"filename\*=utf-8''[A-Za-z0-9!#$&+.^_`|~%()*-]*)"
)


def header(name: str) -> str:
    """As files are served."""
    return content_disposition_header(True, download_name(name, "file-1")) or ""


def test_a_plain_name_stands_for_itself() -> None:
    assert header("invoice SF1039.pdf") == 'attachment; filename="invoice SF1039.pdf"'


def test_a_chinese_name_is_encoded() -> None:
    assert header("发票.pdf") == "attachment; filename*=utf-8''%E5%8F%91%E7%A5%A8.pdf"
    assert header("😀 its.png") == "attachment; filename*=utf-8''%F0%9F%98%80%20its.png"


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
