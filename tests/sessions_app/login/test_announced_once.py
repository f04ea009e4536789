"""How a login ends is announced once: one number and one hint for the team's stream."""

import pytest

from sessions_app.invitations import invitations
from sessions_app.login import attempts
from sessions_app.models import InvitationVisit, LoginAttempt, Session, Team
from sessions_app.sessions.binding import Credentials
from tests.announced import Announced, announced
from tests.conftest import Cast
from tests.messaging.builders import make_session

pytestmark = pytest.mark.django_db

BASE = "https://ilinkai.weixin.qq.com"


def credentials(owner: str) -> Credentials:
    return Credentials("a token", f"{owner}@im.bot", BASE, owner)


def start(cast: Cast, session: Session | None = None, name: str = "Shop B") -> LoginAttempt:
    return attempts.start_login(
        user=cast.operator, session_name=name, team=cast.team, session=session, force=True
    )


def is_once(seen: Announced, team: Team) -> bool:
    once = {f"team:{team.pk}": 1}
    return (dict(seen.numbers), dict(seen.hints)) == (once, once)


def test_confirming_a_new_session(cast: Cast) -> None:
    attempt = start(cast)
    with announced() as seen:
        attempts.confirm(attempt.pk, credentials("lin"))
    assert is_once(seen, cast.team), seen
    session = Session.objects.get(name="Shop B")
    assert seen.topics == {f"session:{session.pk}", f"login:{attempt.pk}"}
    version = attempt.version
    attempt.refresh_from_db()
    assert (attempt.status, attempt.session, attempt.version) == ("confirmed", session, version + 1)
    assert attempt.finished_at is not None


def test_confirming_an_account_that_is_bound_to_another_session(cast: Cast) -> None:
    older = make_session("Shop A")
    attempt = start(cast)
    with announced() as seen:
        attempts.confirm(attempt.pk, credentials(older.owner_id))
    assert is_once(seen, cast.team), seen
    older.refresh_from_db()
    assert (older.state, older.error_code) == ("expired", "bound_elsewhere")


def test_confirming_the_scan_of_an_invited_visitor(cast: Cast) -> None:
    attempt = start(cast)
    invitation = invitations.make_invitation(
        user=cast.operator, team=cast.team, prefix="Shop", label="fair", per_hour=9, in_all=9
    )
    visit = InvitationVisit.objects.create(invitation=invitation, attempt=attempt)
    with announced() as seen:
        attempts.confirm(attempt.pk, credentials("lin"))
    assert is_once(seen, cast.team), seen
    visit.refresh_from_db()
    assert visit.session is not None
    assert visit.session.label == "fair"


def test_a_cancelled_login_that_is_confirmed_after_all(cast: Cast) -> None:
    attempt = start(cast)
    attempts.cancel_login(attempt=attempt, user=cast.operator)
    with announced() as seen:
        attempts.confirm(attempt.pk, credentials("lin"))
    assert is_once(seen, cast.team), seen
    attempt.refresh_from_db()
    assert attempt.status == "confirmed"


def test_a_second_confirmation_announces_nothing(cast: Cast) -> None:
    attempt = start(cast)
    attempts.confirm(attempt.pk, credentials("lin"))
    with announced() as seen:
        attempts.confirm(attempt.pk, credentials("lin"))
    assert seen == Announced()


def test_another_account_and_what_is_decided_about_it(cast: Cast) -> None:
    session = make_session("Shop A")
    attempt = start(cast, session)
    with announced() as seen:
        attempts.confirm(attempt.pk, credentials("somebody else"))
    assert is_once(seen, cast.team), seen
    attempt.refresh_from_db()
    assert attempt.status == "other_account"
    assert attempt.finished_at is not None
    assert "a token" not in attempt.encrypted_result
    with announced() as seen:
        attempts.resolve_other_account(
            attempt=attempt, replace=True, new_name="", user=cast.operator
        )
    assert is_once(seen, cast.team), seen
    attempt.refresh_from_db()
    assert (attempt.status, attempt.encrypted_result) == ("confirmed", "")
