"""Changes made with a session object that was read before somebody else's change."""

import os
import socket
import subprocess
import sys

import pytest

from messaging.receiving import doubts
from sessions_app.models import Session, WorkerBeat
from sessions_app.realtime.streams import announcing
from sessions_app.sessions import leases, services
from sessions_app.sessions.binding import Credentials, bind
from sessions_app.sessions.services import SessionNotBound
from tests.messaging.builders import make_session

pytestmark = pytest.mark.django_db


@pytest.fixture
def stale() -> Session:
    return make_session()


def _row(session: Session) -> Session:
    return Session.objects.get(pk=session.pk)


def _scanned(owner: str = "lin@im.wechat") -> Credentials:
    return Credentials(
        token="new", bot_id="new@im.bot", base_url="https://ilinkai.weixin.qq.com", user_id=owner
    )


def test_a_resume_read_before_a_log_out_is_refused(stale: Session) -> None:
    services.log_out(session=_row(stale), user=None)
    with pytest.raises(SessionNotBound):
        services.set_paused(session=stale, paused=False, user=None)
    assert _row(stale).state == "logged_out"


def test_a_log_out_read_before_a_scan_counts_on_from_it(stale: Session) -> None:
    with announcing() as change:
        bind(change, _row(stale), _scanned(), who=None)
    services.log_out(session=stale, user=None)
    assert (_row(stale).generation, _row(stale).state) == (3, "logged_out")


def test_a_scan_keeps_a_name_given_meanwhile(stale: Session) -> None:
    services.rename_session(session=_row(stale), new_name="Shop Z", user=None)
    with announcing() as change:
        bind(change, stale, _scanned(), who=None)
    row = _row(stale)
    assert (row.name, row.bot_id, row.token, row.generation) == ("Shop Z", "new@im.bot", "new", 2)


def test_a_scan_ends_the_account_s_other_sessions(stale: Session) -> None:
    other = make_session("Shop B")
    with announcing() as change:
        bind(change, stale, _scanned(other.owner_id), who=None)
    assert (_row(other).state, _row(other).error_code) == ("expired", "bound_elsewhere")
    assert _row(stale).state == "connecting"


def test_a_dead_token_of_an_older_binding_ends_nothing(stale: Session) -> None:
    with announcing() as change:
        bind(change, _row(stale), _scanned(), who=None)
    with announcing() as change:
        doubts.expire(change, stale.pk, stale.generation)
    assert _row(stale).state == "connecting"


def test_a_console_that_starts_forgets_only_the_dead_of_its_own_host() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait(30)
    here = socket.gethostname()
    workers = {"mine": os.getpid(), "lives": os.getppid(), "dead": gone.pid}
    for name, pid in workers.items():
        WorkerBeat.objects.create(worker_id=name, host=here, pid=pid)
    WorkerBeat.objects.create(worker_id="elsewhere", host=here + ".other", pid=gone.pid)
    leases.retire_all()
    assert set(WorkerBeat.objects.values_list("pk", flat=True)) == {"lives", "elsewhere"}
