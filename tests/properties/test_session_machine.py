"""A session through any order of events: two answers of -14 end it, and no old binding does."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from messaging.receiving import poll_notes
from messaging.receiving.binding import Binding
from sessions_app.models import Session
from sessions_app.realtime.streams import announcing
from sessions_app.sessions import services
from sessions_app.sessions.binding import Credentials, bind
from sessions_app.sessions.health import FAILING_FROM, health_of
from tests import random_seeds
from tests.messaging.builders import make_session

pytestmark = pytest.mark.properties

RECEIVING = {"connecting", "connected", "failing"}


class Life(RuleBasedStateMachine):
    """The model: what was decided last, and how many polls failed since one was answered."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.pk = make_session().pk
        self.bindings = [self.binding()]
        self.decided = "polled"
        self.failures = 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    def row(self) -> Session:
        return Session.objects.get(pk=self.pk)

    def binding(self) -> Binding:
        row = self.row()
        return Binding(row.pk, row.generation, "", 35_000)

    def is_current(self, age: int) -> bool:
        return age == 0 or len(self.bindings) == 1

    def of_age(self, age: int) -> Binding:
        return self.bindings[max(0, len(self.bindings) - 1 - age)]

    @rule()
    def scan(self) -> None:
        credentials = Credentials(
            f"token {len(self.bindings)}", "bot@im.bot", "https://ilinkai.weixin.qq.com", "owner"
        )
        with announcing() as change:
            bind(change, self.row(), credentials, who=None)
        self.bindings.append(self.binding())
        self.decided, self.failures = "polled", 0

    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        try:
            services.set_paused(session=self.row(), paused=paused, user=None)
        except services.SessionNotBound:
            assert self.decided in ("logged_out", "expired")
            return
        if paused != (self.decided == "paused"):
            self.decided, self.failures = ("paused" if paused else "polled"), 0

    @rule()
    def log_out(self) -> None:
        services.log_out(session=self.row(), user=None)
        self.decided = "logged_out"

    @rule(age=st.integers(0, 2))
    def good_poll(self, age: int) -> None:
        poll_notes.good_polls({self.of_age(age): timezone.now()})
        if self.is_current(age) and self.decided == "polled":
            self.failures = 0

    @rule(age=st.integers(0, 2))
    def failed_poll(self, age: int) -> None:
        poll_notes.failed_poll(
            self.of_age(age),
            failures=self.failures + 1,
            code="unreachable",
            detail="",
            next_at=timezone.now() + timedelta(seconds=2),
        )
        if self.is_current(age) and self.decided == "polled":
            self.failures += 1

    @rule(age=st.integers(0, 2))
    def doubt_and_vouch(self, age: int) -> None:
        poll_notes.doubt(self.of_age(age))
        poll_notes.vouched(self.of_age(age))

    @rule(age=st.integers(0, 2))
    def end(self, age: int) -> None:
        poll_notes.doubt(self.of_age(age))
        poll_notes.signed_out(self.of_age(age))
        if self.is_current(age) and self.decided in ("polled", "paused"):
            self.decided = "expired"

    @invariant()
    def shows_what_was_decided(self) -> None:
        shown = health_of(self.row(), now=timezone.now()).state
        if self.decided == "polled":
            assert shown in RECEIVING
            assert (shown == "failing") == (self.failures >= FAILING_FROM)
        else:
            assert shown == self.decided

    @invariant()
    def sends_only_while_bound(self) -> None:
        assert self.row().may_send == (self.decided in ("polled", "paused"))


@pytest.mark.django_db
def test_a_session_shows_what_was_decided_and_heard_last() -> None:
    run_state_machine_as_test(Life, settings=random_seeds.examples(25))
