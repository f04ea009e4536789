"""What the page says while WeChat gives no code or no status: what happened, nothing else."""

import asyncio

import pytest

from sessions_app.ilink.backoff import Backoff
from sessions_app.ilink.errors import (
    AnswerTimeoutError,
    GatewayError,
    ILinkError,
    LineBrokenError,
    NotSentError,
    RefusedError,
    SessionExpiredError,
    UnreadableAnswerError,
)
from sessions_app.ilink.wire import LoginStatus, QRStatus
from sessions_app.login.driver import trouble_of
from sessions_app.login.former_codes import Code, FormerCodes
from sessions_app.sessions import reasons


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NotSentError("no route"), "WeChat could not be reached"),
        (LineBrokenError("reset"), "the connection to WeChat broke"),
        (AnswerTimeoutError("silence"), "the connection to WeChat broke"),
        (GatewayError(403), "WeChat answered 403"),
        (UnreadableAnswerError(), "WeChat's response could not be read"),
        (RefusedError(-1, "system error"), "WeChat refused (system error)"),
        (RefusedError(77), "WeChat refused (code 77)"),
        (SessionExpiredError(-14), "WeChat refused (code -14)"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, ILinkError) else "",
)
def test_the_reason_is_the_one_that_happened(error: ILinkError, words: str) -> None:
    assert reasons.sentence(*trouble_of(error)) == words


class _Client:
    """Answers as a gateway that is ill, and nonsense; then the code has expired."""

    def __init__(self) -> None:
        self.answers = [QRStatus(LoginStatus.WAIT, gateway_status=502)] * 2
        self.answers += [QRStatus(LoginStatus.UNKNOWN)]
        self.answers += [QRStatus(LoginStatus.EXPIRED)]

    async def get_qrcode_status(self, _handle: str) -> QRStatus:
        return self.answers.pop(0)

    async def aclose(self) -> None:
        pass


async def test_a_replaced_code_is_asked_for_ever_less_often_while_the_gateway_is_ill(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    turn = asyncio.sleep

    async def note(seconds: float) -> None:
        pauses.append(seconds)
        await turn(0)

    monkeypatch.setattr(asyncio, "sleep", note)
    client = _Client()
    former = FormerCodes(
        lambda _url: client,  # type: ignore[arg-type,return-value]
        "", asyncio.Event(), lambda: 0.0, lambda: Backoff(lambda: 0.5), 1.0,
    )  # fmt: skip
    former.watch(Code("old", "old"), was_scanned=False)
    while former._watches:
        await turn(0)
    assert pauses == [2.0, 2.0, 30.0]
