"""login(): the code in the terminal, the digits by input(), every status, and what is stored."""

from typing import Any

import pytest

from sessions_app import BotInfo, LoginFailedError, WeiLink
from sessions_app.sdk import terminal_login

from .conftest import InThread, World, until


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal_login, "POLL_PAUSE_S", 0.01)


def _handle(world: World, number: int = 1) -> str:
    """The handle of the so manieth code."""
    logins = until(lambda: world.control.logins()[number - 1 :], f"code {number}")
    return str(logins[0]["handle"])


def _confirmed(world: World, login: InThread, account: str = "Lin", number: int = 1) -> Any:
    handle = _handle(world, number)
    world.control.scan(handle, account)
    world.control.confirm(handle)
    return login.result()


def _typing(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """input() gives these, one after the other; what it was asked."""
    asked: list[str] = []
    waiting = list(answers)

    def answer(question: str = "") -> str:
        asked.append(question)
        if not waiting:
            raise EOFError
        return waiting.pop(0)

    monkeypatch.setattr("builtins.input", answer)
    return asked


def test_a_scan_stores_the_credentials_and_returns_the_bot(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    weilink = world.open()
    info = _confirmed(world, InThread(weilink.login))
    assert isinstance(info, BotInfo)
    assert (weilink.bot_id, weilink.sessions["default"].user_id) == (info.bot_id, info.user_id)
    assert (world.base / "default" / "token.json").stat().st_mode & 0o777 == 0o600
    shown = capsys.readouterr().out
    assert "█" in shown or "▀" in shown
    assert "Scan this code with WeChat." in shown
    assert info.token not in shown


def test_credentials_that_are_there_are_used_again(world: World) -> None:
    bot_id = world.bind("default")
    assert world.open().login().bot_id == bot_id
    assert world.control.logins()[1:] == []


def test_a_named_session_gets_a_folder_of_its_own(world: World) -> None:
    weilink = world.open()
    _confirmed(world, InThread(lambda: weilink.login("小店")))
    _confirmed(world, InThread(lambda: weilink.login("zb")), "Guo", 2)
    assert sorted(weilink.bot_ids) == ["zb", "小店"]


def test_digits_are_asked_for_and_asked_again_when_wrong(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _typing(monkeypatch, "111111")
    weilink = world.open()
    login = InThread(weilink.login)
    handle = _handle(world)
    assert world.control.scan(handle, "Lin", ask_code=True)["digits"] != "111111"
    until(lambda: len(asked) == 2, "two questions")
    assert asked[0] == "Digits on the phone: "
    assert asked[1].startswith("These digits were wrong.")
    with pytest.raises(EOFError):
        login.result()


def test_right_digits_go_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    weilink = world.open()
    digits: list[str] = []
    monkeypatch.setattr("builtins.input", lambda _="": until(lambda: digits and digits[0]))
    login = InThread(weilink.login)
    handle = _handle(world)
    digits.append(world.control.scan(handle, "Lin", ask_code=True)["digits"])
    until(lambda: world.control.login(handle)["status"] in ("scanned", "scaned"), "the digits")
    world.control.confirm(handle)
    assert login.result().bot_id == weilink.bot_id


def test_three_codes_in_all_then_it_fails(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    login = InThread(world.open().login)
    for number in (1, 2, 3):
        world.control.expire(_handle(world, number))
    with pytest.raises(LoginFailedError, match="three codes"):
        login.result()
    assert capsys.readouterr().out.count("The code has expired") >= 1
    assert not (world.base / "default").exists()


def test_a_redirect_is_followed_and_a_strange_one_refused(world: World) -> None:
    weilink = world.open()
    login = InThread(weilink.login)
    handle = _handle(world)
    world.control.scan(handle, "Lin", redirect=True)
    world.control.confirm(handle)
    assert login.result().bot_id
    world.control.switches(redirect_host="evil.example")
    login = InThread(lambda: weilink.login("zb"))
    world.control.scan(_handle(world, 2), "Guo", redirect=True)
    with pytest.raises(LoginFailedError):
        login.result()


def test_an_account_that_another_session_holds_changes_nothing(world: World) -> None:
    weilink = world.open()
    first = _confirmed(world, InThread(weilink.login))
    login = InThread(lambda: weilink.login("zb"))
    world.control.scan(_handle(world, 2), "Lin")
    assert login.result() == first
    assert list(weilink.bot_ids) == ["default"]


def test_a_forced_login_of_the_same_account_replaces_its_token(world: World) -> None:
    weilink = world.open()
    _confirmed(world, InThread(weilink.login))
    again = _confirmed(world, InThread(lambda: weilink.login(force=True)), "Lin", 2)
    assert weilink.bot_ids == {"default": again.bot_id}
    weilink.recv(timeout=0.1)


@pytest.mark.parametrize(
    ("answers", "names"),
    [
        ([""], ["default"]),
        (["Guo's"], ["Guo's", "default"]),
        (["../x", "default", "Guo"], ["Guo", "default"]),
        ([], ["default", "default 2"]),
    ],
    ids=["replace", "new", "a bad name first", "nobody there"],
)
def test_another_account_than_last_time_is_asked_about_and_never_dropped(
    world: World, monkeypatch: pytest.MonkeyPatch, answers: list[str], names: list[str]
) -> None:
    weilink = world.open()
    _confirmed(world, InThread(weilink.login))
    asked = _typing(monkeypatch, *answers)
    second = _confirmed(world, InThread(lambda: weilink.login(force=True)), "Guo", 2)
    assert "another WeChat account" in asked[0]
    assert sorted(weilink.bot_ids) == names
    assert second.bot_id in weilink.bot_ids.values()


def test_wechat_away_for_a_moment_is_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.control.add_fault("status", path="*get_bot_qrcode*", status=502, times=2)
    world.control.add_fault("reset", path="*get_qrcode_status*", times=2)
    weilink = world.open()
    assert _confirmed(world, InThread(weilink.login)).bot_id


def test_a_broken_session_is_not_overwritten(world: World) -> None:
    world.bind("default")
    path = world.base / "default" / "token.json"
    path.write_text("{")
    with pytest.raises(Exception, match=r"token\.json is broken"):
        world.open().login(force=True)
    assert path.read_text() == "{"


def test_a_name_that_clashes_is_refused_before_any_scan(world: World) -> None:
    world.bind("Shop")
    codes = len(world.control.logins())
    with pytest.raises(ValueError, match="“Shop”"):
        world.open().login("SHOP")
    assert len(world.control.logins()) == codes


def test_the_token_of_a_login_never_shows_in_a_repr(world: World) -> None:
    world.bind("default")
    weilink: WeiLink = world.open()
    assert weilink.login().token not in repr(weilink.login())


def test_an_unscanned_code_is_replaced_and_a_late_scan_of_it_still_counts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = terminal_login.TerminalLogin._draw

    def drawn(self: terminal_login.TerminalLogin, words: str) -> None:
        """Only the first code is over at once."""
        draw(self, words)
        if self._codes == 1:
            self._ends_at = 0.0

    monkeypatch.setattr(terminal_login.TerminalLogin, "_draw", drawn)
    monkeypatch.setattr(terminal_login, "FORMER_WAIT_S", 0.2)
    weilink = world.open()
    login = InThread(weilink.login)
    first = _handle(world)
    _handle(world, 2)
    world.control.scan(first, "Lin")
    world.control.confirm(first)
    assert login.result().bot_id
