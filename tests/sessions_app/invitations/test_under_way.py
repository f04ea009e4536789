"""A login by invitation as the worker drives it, on a simulated WeChat."""

from sessions_app.invitations import invitations
from sessions_app.models import LoginAttempt, Session, Team, User
from sessions_app.people.roles import Role
from tests.conftest import Running, in_thread, make_user, until


def _invite() -> str:
    team = Team.objects.get(name="Everyone")
    maker = make_user("mia", Role.OPERATOR, team)
    fair = invitations.make_invitation(
        user=maker, team=team, prefix="Fair", label="", per_hour=4, in_all=4
    )
    visit = invitations.enter(fair, None, network="203.0.113.7")
    assert visit.attempt is not None
    return visit.attempt.pk


async def _row(attempt_id: str, status: str) -> LoginAttempt:
    def found() -> LoginAttempt | None:
        return LoginAttempt.objects.filter(pk=attempt_id, status=status).exclude(qrcode="").first()

    row: LoginAttempt = await until(found, status)
    return row


async def test_a_code_on_the_screen_ends_with_the_rights_of_its_maker(running: Running) -> None:
    attempt_id = await in_thread(_invite)()
    await _row(attempt_id, "waiting")
    await User.objects.aupdate(is_active=False)
    await _row(attempt_id, "cancelled")
    assert not await Session.objects.aexists()


async def test_a_guest_of_a_member_with_rights_is_let_in(running: Running) -> None:
    attempt_id = await in_thread(_invite)()
    shown = await _row(attempt_id, "waiting")
    running.control.scan(shown.qrcode, "Lin")
    running.control.confirm(shown.qrcode)
    await _row(attempt_id, "confirmed")
    assert (await Session.objects.aget()).name == "Fair 0001"
