"""Two facts that may arrive in either order leave the same state behind, whichever comes first."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.conversations.errors import ReplyError
from messaging.delivering import outbox
from messaging.delivering.outbox import Claim
from messaging.models import Conversation, Message, SendAttempt
from messaging.receiving import doubts, inbound, poll_notes
from messaging.receiving.binding import Binding
from messaging.reply_window import routes
from messaging.replying import services as messaging_services
from messaging.replying.reasons import code_of, reason_of
from sessions_app.folder.mirror import rows
from sessions_app.folder.store import FoundSession, StoredToken
from sessions_app.models import Context, Session
from sessions_app.realtime.streams import announcing
from sessions_app.sessions import leases, reasons, services
from sessions_app.sessions.binding import Credentials, bind
from sessions_app.sessions.health import health_of
from tests.messaging.builders import answer, heard, make_session, receive, text_message
from tests.replies import send_reply

pytestmark = pytest.mark.django_db
LINA = "lina@im.wechat"
Fact = Callable[[], object]


@pytest.fixture
def session() -> Session:
    leases.register("w1")
    made = make_session("A")
    receive(made, text_message("hello"))
    return made


@pytest.fixture(params=["as named", "the other way round"])
def happen(request: pytest.FixtureRequest) -> Callable[[Fact, Fact], None]:
    def both(first: Fact, second: Fact) -> None:
        for fact in (first, second) if request.param == "as named" else (second, first):
            fact()

    return both


def row(session: Session) -> Session:
    return Session.objects.get(pk=session.pk)


def shown(session: Session) -> str:
    """State and reason, as every page says it."""
    found = health_of(row(session), now=timezone.now())
    return f"{found.state} {reasons.sentence(found.code, found.detail)}".strip()


def binding(session: Session) -> Binding:
    return Binding(session.pk, session.generation, session.cursor, session.hold_ms)


def scanned(session: Session, owner: str = "") -> None:
    """The account of A (or another one) scanned for this session, and confirmed."""
    owner = owner or "owner-A@im.wechat"
    credentials = Credentials("fresh", "fresh@im.bot", "https://ilinkai.weixin.qq.com", owner)
    with announcing() as change:
        bind(change, row(session), credentials, who=None)


def condemned(session: Session) -> Fact:
    """A's poll hears -14, and after notifystart once more."""
    was = binding(session)

    def hear() -> None:
        poll_notes.doubt(was)
        poll_notes.signed_out(was)

    return hear


# Sessions of one account


def test_the_same_account_scans_for_another_session(
    session: Session, happen: Callable[[Fact, Fact], None]
) -> None:
    other = make_session("B")
    happen(condemned(session), lambda: scanned(other))
    assert shown(session) == "expired this WeChat account is now bound as “B”"
    last = row(session).events.first()
    assert last is not None
    assert (last.state, last.code, last.detail) == ("expired", "bound_elsewhere", "B")


def test_the_other_session_is_renamed_meanwhile(
    session: Session, happen: Callable[[Fact, Fact], None]
) -> None:
    other = make_session("B")
    condemned(session)()
    happen(
        lambda: scanned(other),
        lambda: services.rename_session(session=row(other), new_name="Z", user=None),
    )
    assert shown(session) == "expired this WeChat account is now bound as “Z”"


def test_the_other_session_is_renamed_by_another_program_meanwhile(
    session: Session, happen: Callable[[Fact, Fact], None]
) -> None:
    other = make_session("B")
    rows.agree(other.pk, name="B", token_digest="d")
    token = StoredToken("b@im.bot", "https://ilinkai.weixin.qq.com", "t", "o")
    happen(
        lambda: scanned(other),
        lambda: rows.follow_rename(other.pk, FoundSession("Z", token)),
    )
    assert shown(session) == "expired this WeChat account is now bound as “Z”"


def test_the_account_goes_on_to_a_third_session(
    session: Session, happen: Callable[[Fact, Fact], None]
) -> None:
    second, third = make_session("B"), make_session("C")
    scanned(second)
    happen(condemned(session), lambda: scanned(third))
    assert shown(session) == "expired this WeChat account is now bound as “C”"
    assert shown(second) == "expired this WeChat account is now bound as “C”"


def test_another_account_s_scan_explains_nothing(session: Session) -> None:
    other = make_session("B")
    condemned(session)()
    scanned(other, "somebody-else@im.wechat")
    assert shown(session).startswith("expired WeChat signed this account out")


# What was asked, and what polls bring


def test_a_pause_and_minus_14(session: Session, happen: Callable[[Fact, Fact], None]) -> None:
    def pause() -> None:
        try:
            services.set_paused(session=row(session), paused=True, user=None)
        except services.SessionNotBound:
            assert row(session).state == "expired"

    happen(pause, condemned(session))
    assert shown(session).startswith("expired WeChat signed this account out")


def test_a_log_out_and_minus_14(session: Session, happen: Callable[[Fact, Fact], None]) -> None:
    happen(lambda: services.log_out(session=row(session), user=None), condemned(session))
    assert (shown(session), row(session).doubted_at) == ("logged_out", None)


def test_a_log_out_and_an_answer(session: Session, happen: Callable[[Fact, Fact], None]) -> None:
    late = answer(session, [text_message("late")], cursor="c2")
    was = binding(session)

    def was_heard() -> None:
        inbound.store([late])
        poll_notes.good_polls({was: timezone.now()})
        poll_notes.write_good_polls(heard(was, timezone.now() + timedelta(seconds=1)))

    happen(lambda: services.log_out(session=row(session), user=None), was_heard)
    routes.refresh_routes(session.pk)
    found = row(session)
    assert (shown(session), found.encrypted_token, found.cursor) == ("logged_out", "", "")
    assert not Context.objects.exists()
    conversation = Conversation.objects.get()
    assert (conversation.closes_at, conversation.replies_used, conversation.last_text) == (
        None,
        0,
        "late",
    )
    assert Message.objects.filter(text="late").exists()


def test_a_deletion_and_a_message(session: Session, happen: Callable[[Fact, Fact], None]) -> None:
    late = answer(session, [text_message("late")], cursor="c2")
    services.log_out(session=row(session), user=None)
    happen(
        lambda: services.delete_session(session=row(session), user=None),
        lambda: inbound.store([late]),
    )
    routes.refresh_routes(session.pk)
    found = row(session)
    assert found.deleted_at is not None
    assert (found.name, found.state, found.cursor) == (f"A /{session.pk}", "logged_out", "")
    assert not Context.objects.exists()
    assert Conversation.objects.get().last_text == "late"


def test_a_new_scan_and_the_old_poll_s_late_answer(
    session: Session, happen: Callable[[Fact, Fact], None]
) -> None:
    late = answer(session, [text_message("late", context_token="old")], cursor="old")
    was = binding(session)

    def was_heard() -> None:
        inbound.store([late])
        poll_notes.write_good_polls(heard(was, timezone.now() + timedelta(seconds=5)))
        poll_notes.write_given_up({was: poll_notes.GaveUp(timezone.now(), 524)})
        condemned(session)()

    happen(lambda: scanned(session, "owner-A@im.wechat"), was_heard)
    found = row(session)
    assert (shown(session), found.cursor) == ("connecting", "")
    assert (found.doubted_at, found.failed_at, found.last_poll_at) == (None, None, None)
    assert not Context.objects.exists()
    assert Message.objects.filter(text="late").exists()


def test_a_resume_and_a_failed_poll_of_before(
    session: Session, happen: Callable[[Fact, Fact], None]
) -> None:
    """The next good poll makes it whole, whatever was written in between."""
    services.set_paused(session=row(session), paused=True, user=None)
    was = binding(session)
    happen(
        lambda: services.set_paused(session=row(session), paused=False, user=None),
        lambda: poll_notes.failed_poll(
            was, failures=5, code="http", detail="502", next_at=timezone.now()
        ),
    )
    poll_notes.write_good_polls(heard(was, timezone.now() + timedelta(seconds=1)))
    assert (shown(session), row(session).state) == ("connected", "connected")


def test_the_folder_s_fault_and_a_good_poll(
    session: Session, happen: Callable[[Fact, Fact], None]
) -> None:
    happen(
        lambda: rows.fail(session.pk, "folder_file", "damaged"),
        lambda: poll_notes.good_polls({binding(session): timezone.now()}),
    )
    assert shown(session) == "failing its file in the account folder: damaged"
    rows.recover([session.pk])
    assert shown(session) == "connecting"


def test_a_scan_here_and_a_rename_in_the_folder(
    session: Session, happen: Callable[[Fact, Fact], None]
) -> None:
    rows.agree(session.pk, name="A", token_digest="d")
    token = StoredToken("a@im.bot", "https://ilinkai.weixin.qq.com", "t", "o")
    happen(
        lambda: scanned(session),
        lambda: rows.follow_rename(session.pk, FoundSession("Z", token)),
    )
    found = row(session)
    assert (found.name, found.filed_name, found.bot_id) == ("Z", "Z", "fresh@im.bot")
    assert (shown(session), found.token) == ("connecting", "fresh")


# Replies


def claimed() -> Claim:
    send_reply(user=None, conversation=Conversation.objects.get(), text="yo", draft_key="k")
    [claim] = outbox.claim_next("w1", limit=1)
    return claim


def sent() -> Message:
    return Message.objects.get(text="yo")


def echo(session: Session, claim: Claim) -> Fact:
    back = text_message("yo", message_type=2, to_user_id=LINA, client_id=claim.client_id)
    back["message_id"] = 77
    return lambda: receive(session, back, cursor="c9")


ANSWERS: dict[str, Callable[[Claim], object]] = {
    "accepted": lambda claim: outbox.mark_sent(claim, wire_id="77"),
    "without an id": lambda claim: outbox.mark_sent(claim, wire_id=None),
    "refused": lambda claim: outbox.mark_refused(claim, wire_code=-2, detail="no"),
    "broken": lambda claim: outbox.mark_broken(claim, detail="reset"),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_a_reply_s_answer_and_its_echo(
    session: Session, happen: Callable[[Fact, Fact], None], what: str
) -> None:
    """An echo proves that WeChat took it."""
    claim = claimed()
    happen(lambda: ANSWERS[what](claim), echo(session, claim))
    message = sent()
    assert (message.status, message.wire_id, message.error_code) == ("sent", "77", "")
    assert (message.holds_queue, Context.objects.get().replies_used) == (False, 1)
    assert Message.objects.filter(text="yo").count() == 1
    assert SendAttempt.objects.get().finished_at is not None
    assert Conversation.objects.get().waiting_since is None
    if what in ("accepted", "without an id"):
        assert row(session).last_sent_at is not None
        assert row(session).gives_receipts is (what == "accepted")


def test_a_reply_s_answer_and_a_cancel(
    session: Session, happen: Callable[[Fact, Fact], None]
) -> None:
    claim = claimed()

    def cancel() -> None:
        with pytest.raises(ReplyError):
            messaging_services.cancel_message(message=sent(), user=None)

    happen(lambda: outbox.mark_sent(claim, wire_id="5"), cancel)
    assert (sent().status, Context.objects.get().replies_used) == ("sent", 1)


def test_a_reply_s_refusal_and_the_session_s_end(
    session: Session, happen: Callable[[Fact, Fact], None]
) -> None:
    """-14 on the reply, and a verdict of the polls that comes before or after it."""
    claim = claimed()

    def verdict() -> None:
        with announcing() as change:
            doubts.expire(change, session.pk, session.generation)

    happen(lambda: outbox.mark_refused(claim, wire_code=-14, detail="gone"), verdict)
    assert (sent().status, sent().error_code) == ("failed", "session_offline")
    assert row(session).doubted_at is None


def test_a_log_out_and_the_answer_to_a_reply(
    session: Session, happen: Callable[[Fact, Fact], None]
) -> None:
    claim = claimed()
    happen(
        lambda: services.log_out(session=row(session), user=None),
        lambda: outbox.mark_refused(claim, wire_code=-14, detail="gone"),
    )
    assert (shown(session), row(session).doubted_at) == ("logged_out", None)
    assert (sent().status, code_of(sent())) == ("failed", "session_offline")
    assert reason_of(sent()) == "“A” is signed out; its QR code must be scanned again"
