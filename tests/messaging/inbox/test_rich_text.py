"""Text as typed: escaped, with WeChat's faces, with links that are safe."""

import pytest

from messaging.text.rich_text import FOLDS_OVER, folded_lines, in_one_line, shown
from messaging.text.wechat_emoji import EMOJI


def test_markup_is_text() -> None:
    assert shown('<b onclick="x">&') == "&lt;b onclick=&quot;x&quot;&gt;&amp;"


@pytest.mark.parametrize("code", ["[微笑]", "[Smile]"])
def test_wechats_codes_are_faces_with_their_name(code: str) -> None:
    markup = shown(f"ok {code}")
    assert "🙂</span>" in markup
    assert f'role="img" aria-label="{code}"' in markup


def test_unknown_brackets_stay_as_they_are() -> None:
    assert shown("[not a face] [订单] [x]") == "[not a face] [订单] [x]"


def test_about_a_hundred_faces_are_known_in_both_languages() -> None:
    assert len(EMOJI) >= 200
    assert EMOJI["[捂脸]"] == EMOJI["[Facepalm]"] == "🤦"


@pytest.mark.parametrize(
    ("text", "address", "rest"),
    [
        ("看https://a.example/x?b=1，谢谢", "https://a.example/x?b=1", "，谢谢"),
        ("see http://a.example/y.", "http://a.example/y", "."),
        ("(https://a.example/z)", "https://a.example/z", ")"),
        ("https://a.example/w_(1) ok", "https://a.example/w_(1)", " ok"),
    ],
)
def test_addresses_are_links_that_end_where_they_end(text: str, address: str, rest: str) -> None:
    markup = shown(text)
    assert f'<a href="{address}" target="_blank" rel="noopener noreferrer nofollow ugc"' in markup
    assert markup.endswith(f"</a>{rest}")


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", "data:text/html,x", "ftp://a.example", "a@b.c"]
)
def test_nothing_else_is_a_link(text: str) -> None:
    assert "<a" not in shown(text)


def test_an_address_cannot_break_out_of_its_attribute() -> None:
    markup = shown('https://a.example/"onmouseover="x')
    assert 'href="https://a.example/"' in markup
    assert "onmouseover=&quot;x" in markup


def test_names_are_marked_in_notes_alone() -> None:
    assert '<span class="named">@mei</span>' in shown("ask @mei", names=True)
    assert "named" not in shown("ask @mei")
    assert "named" not in shown("mail me@example.com", names=True)


def test_a_preview_shows_faces_as_characters() -> None:
    assert in_one_line("[微笑] ok [x]") == "🙂 ok [x]"


def test_long_texts_know_how_many_lines_they_take() -> None:
    assert folded_lines("\n".join(["line"] * 120)) == 120
    assert folded_lines("\n".join(["line"] * FOLDS_OVER)) == 0
    assert folded_lines("字" * 38 * FOLDS_OVER) == 0
    assert folded_lines("字" * 38 * (FOLDS_OVER + 1)) == FOLDS_OVER + 1
    assert folded_lines("a word " * 1_000) > FOLDS_OVER
