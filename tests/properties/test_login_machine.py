"""A login through any order of events: once final it stays so, and no token handed out is lost."""

import pytest
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from sessions_app.login import attempts
from sessions_app.models import FINAL_LOGIN_STATES, LoginAttempt, LoginState, Session, Team
from sessions_app.sessions.binding import Credentials
from tests import random_seeds

pytestmark = pytest.mark.properties

SHOWN = (
    LoginState.WAITING, LoginState.SCANNED, LoginState.VERIFY_CODE_REQUIRED,
    LoginState.VERIFY_CODE_WRONG,
)  # fmt: skip


class OneLogin(RuleBasedStateMachine):
    """The model: the last status that anybody wrote while the attempt was open."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        team = Team.objects.get(name="Everyone")
        self.pk = attempts.start_login(user=None, session_name="Shop C", team=team).pk
        self.status = LoginState.WAITING
        self.version = self.row().version
        self.token = ""

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    def row(self) -> LoginAttempt:
        return LoginAttempt.objects.get(pk=self.pk)

    @property
    def is_open(self) -> bool:
        return self.status not in FINAL_LOGIN_STATES

    def _wrote(self, is_written: bool, status: LoginState) -> None:
        assert is_written == self.is_open
        if is_written:
            self.status = status

    @rule(number=st.integers(1, 9))
    def draw(self, number: int) -> None:
        written = attempts.show_code(
            self.pk, qrcode_handle=f"code {number}", qr_url="u", status=LoginState.REFRESHED
        )
        self._wrote(written, LoginState.REFRESHED)

    @rule(status=st.sampled_from(SHOWN))
    def hear(self, status: LoginState) -> None:
        self._wrote(attempts.write(self.pk, status=status), status)

    @rule()
    def type_digits(self) -> None:
        wanted = (LoginState.VERIFY_CODE_REQUIRED, LoginState.VERIFY_CODE_WRONG)
        if self.status in wanted:
            attempts.give_verify_code(attempt=self.row(), code="12 34")
            self.status = LoginState.SCANNED
            assert [attempts.take_verify_code(self.pk) for _ in range(2)] == ["1234", ""]
        else:
            with pytest.raises(attempts.VerifyCodeNotWanted):
                attempts.give_verify_code(attempt=self.row(), code="1234")

    @rule()
    def cancel(self) -> None:
        attempts.cancel_login(attempt=self.row(), user=None)
        self.status = LoginState.CANCELLED if self.is_open else self.status

    @rule()
    def give_up(self) -> None:
        written = attempts.write(self.pk, status=LoginState.FAILED, error_code="unreachable")
        self._wrote(written, LoginState.FAILED)

    @precondition(lambda self: not self.token)
    @rule(number=st.integers(1, 9))
    def confirm(self, number: int) -> None:
        """WeChat hands the token out once, and perhaps after somebody has cancelled."""
        self.token = f"token {number}"
        for _ in range(2):
            attempts.confirm(
                self.pk, Credentials(self.token, "bot", "https://ilinkai.weixin.qq.com", "owner")
            )
        self.status = LoginState.CONFIRMED

    @invariant()
    def is_as_the_model_says(self) -> None:
        row = self.row()
        assert row.status == self.status
        assert (row.finished_at is not None) == (not self.is_open)
        assert row.version >= self.version
        self.version = row.version

    @invariant()
    def a_token_is_kept(self) -> None:
        if self.token:
            assert Session.objects.get(name="Shop C").token == self.token


@pytest.mark.django_db
def test_a_login_that_is_final_stays_so() -> None:
    run_state_machine_as_test(OneLogin, settings=random_seeds.examples(25))
