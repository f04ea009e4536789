"""The board, the session pages and the QR dialog, before the whole cast."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from sessions_app.login import attempts
from sessions_app.models import LoginAttempt, Session, SessionState, User, WorkerBeat
from sessions_app.realtime.streams import announcing
from sessions_app.sessions.services import touch
from tests.conftest import Cast
from tests.messaging.builders import make_session

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def shop(cast: Cast) -> Session:
    return make_session("Shop A")


# Who may see what

PAGES = ["/sessions/", "/sessions/Shop%20A/", "/sessions/-/changes/"]
FORMS = [
    "/sessions/-/add/",
    *(f"/sessions/Shop%20A/{name}/" for name in ("rename", "log-out", "pause", "default", "scan")),
]
POSTS = ["/sessions/Shop%20A/resume/"]


@pytest.mark.parametrize("page", PAGES)
def test_those_with_a_board_role_see_the_board(cast: Cast, shop: Session, page: str) -> None:
    for user in (cast.administrator, cast.operator, cast.supervisor, cast.viewer):
        assert as_(user).get(page).status_code == 200, user
    for user in (cast.agent, cast.agent_elsewhere, cast.outsider):
        assert as_(user).get(page).status_code == 403, user


@pytest.mark.parametrize("page", [*FORMS, *POSTS])
def test_only_those_who_manage_sessions_change_them(cast: Cast, shop: Session, page: str) -> None:
    for user in (cast.supervisor, cast.agent, cast.agent_elsewhere, cast.viewer, cast.outsider):
        assert as_(user).post(page).status_code == 403, user
        if page in FORMS:
            assert as_(user).get(page).status_code == 403, user
    shop.refresh_from_db()
    assert shop.state == SessionState.CONNECTED


def test_sessions_of_another_team_do_not_exist(cast: Cast) -> None:
    make_session("Theirs", team=cast.other_team)
    client = as_(cast.operator)
    assert b"Theirs" not in client.get("/sessions/").content
    for page in ("/sessions/Theirs/", "/sessions/Theirs/rename/", "/sessions/Theirs/log-out/"):
        assert client.get(page).status_code == 404
    assert client.post("/sessions/Theirs/pause/").status_code == 404


def test_a_viewer_is_shown_no_control_that_would_be_refused(cast: Cast, shop: Session) -> None:
    Session.objects.update(state=SessionState.EXPIRED)
    page = as_(cast.viewer).get("/sessions/").content.decode()
    for words in ("Scan again", "Add account", "Rename Shop A", "Log out"):
        assert words not in page


def test_home_leads_to_what_the_person_may_see(cast: Cast) -> None:
    assert as_(cast.agent).get("/")["Location"] == "/inbox/"
    assert as_(cast.operator).get("/")["Location"] == "/sessions/"
    calm = as_(cast.outsider).get("/")
    assert calm.status_code == 200
    assert b"You have no role yet" in calm.content


# The board


def test_every_control_of_a_row_says_what_it_does(cast: Cast, shop: Session) -> None:
    page = as_(cast.operator).get("/sessions/").content.decode()
    for words in ("Open Shop A", "Rename Shop A", "Pause Shop A", "Log out Shop A"):
        assert f'aria-label="{words}"' in page
    Session.objects.update(state=SessionState.EXPIRED)
    page = as_(cast.operator).get("/sessions/").content.decode()
    assert 'aria-label="Scan again Shop A"' in page
    assert "signed out by WeChat" in page


def test_the_board_says_that_no_worker_runs(cast: Cast) -> None:
    client = as_(cast.operator)
    assert b"No worker is running" in client.get("/sessions/").content
    WorkerBeat.objects.create(worker_id="w", host="elsewhere", pid=1, heard_at=timezone.now())
    page = client.get("/sessions/").content
    assert b"No worker is running" not in page
    assert b"worker on elsewhere" in page


def test_an_empty_board_invites_to_add_the_first_session(cast: Cast) -> None:
    assert b"Add the first account" in as_(cast.operator).get("/sessions/").content
    assert b"Add the first account" not in as_(cast.viewer).get("/sessions/").content


def test_the_board_reads_the_same_number_of_queries_for_any_number_of_sessions(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = as_(cast.operator)
    for number in range(3):
        make_session(f"Shop {number}")
    with django_assert_num_queries(14):
        client.get("/sessions/")
    for number in range(3, 12):
        make_session(f"Shop {number}")
    with django_assert_num_queries(14):
        client.get("/sessions/")


def test_a_name_that_is_a_word_of_ours_has_its_page_all_the_same(cast: Cast) -> None:
    client = as_(cast.operator)
    for name in ("changes", "add", "logins", "-", "北京 店?#%"):
        make_session(name)
        answer = client.get(reverse("sessions:session", args=[name]))
        assert answer.status_code == 200
        assert f'<h1 dir="auto">{name}</h1>' in answer.content.decode()


def test_changes_bring_only_what_changed_and_the_numbers_to_go_on_from(
    cast: Cast, shop: Session
) -> None:
    other = make_session("Repairs")
    with announcing() as change:
        touch(change, shop)
    with announcing() as change:
        touch(change, other)
    client, key = as_(cast.operator), cast.team.stream_key
    page = client.get("/sessions/-/changes/", {"since": f"{key}:1"}).content.decode()
    assert f'id="session-{other.pk}"' in page
    assert f'id="session-{shop.pk}"' not in page
    assert f"{key}:2" in page
    everything = client.get("/sessions/-/changes/").content.decode()
    assert f'id="session-{shop.pk}"' in everything


def test_numbers_that_nobody_can_read_bring_everything_and_break_nothing(
    cast: Cast, shop: Session
) -> None:
    with announcing() as change:
        touch(change, shop)
    for since in ("nonsense", "team:1:x,:,", "team:1:-5", "²:²", "9" * 400):
        answer = as_(cast.operator).get("/sessions/-/changes/", {"since": since})
        assert answer.status_code == 200
        assert f'id="session-{shop.pk}"' in answer.content.decode()


# Adding, renaming, logging out


def test_adding_asks_for_a_code_and_goes_on_in_the_dialog(cast: Cast) -> None:
    team = cast.team.pk
    answer = as_(cast.operator).post(
        "/sessions/-/add/", {"name": "Kiosk", "team": team}, headers=HTMX
    )
    attempt = LoginAttempt.objects.get()
    assert attempt.session_name == "Kiosk"
    assert f'data-login-id="{attempt.pk}"' in answer.content.decode()


def test_adding_works_without_javascript(cast: Cast) -> None:
    client = as_(cast.operator)
    answer = client.post("/sessions/-/add/", {"name": "Kiosk", "team": cast.team.pk}, follow=True)
    assert answer.redirect_chain[-1][0] == f"/sessions/logins/{LoginAttempt.objects.get().pk}/"
    assert b'<meta http-equiv="refresh"' in answer.content


@pytest.mark.parametrize("name", ["", "a/b", ".hidden", "x" * 65, "SHOP a"])
def test_a_name_that_cannot_be_used_comes_back_with_a_sentence(
    cast: Cast, shop: Session, name: str
) -> None:
    form = {"name": name, "team": cast.team.pk}
    answer = as_(cast.operator).post("/sessions/-/add/", form, headers=HTMX)
    assert answer.status_code == 422
    assert b'role="alert"' in answer.content
    assert not LoginAttempt.objects.exists()


def test_a_session_of_a_team_that_is_not_ones_own_cannot_be_added(cast: Cast) -> None:
    form = {"name": "Kiosk", "team": cast.other_team.pk}
    answer = as_(cast.operator).post("/sessions/-/add/", form, headers=HTMX)
    assert answer.status_code == 422
    assert not LoginAttempt.objects.exists()


def test_renaming_from_the_board_answers_with_the_new_row(cast: Cast, shop: Session) -> None:
    answer = as_(cast.operator).post(
        "/sessions/Shop%20A/rename/",
        {"new_name": "Shop B"},
        headers={**HTMX, "HX-Current-URL": "http://testserver/sessions/"},
    )
    assert b'data-changes="news"' in answer.content
    assert b"Shop B" in answer.content


def test_renaming_on_the_sessions_page_leads_to_its_new_address(cast: Cast, shop: Session) -> None:
    answer = as_(cast.operator).post(
        "/sessions/Shop%20A/rename/",
        {"new_name": "Shop B"},
        headers={**HTMX, "HX-Current-URL": "http://testserver/sessions/Shop%20A/"},
    )
    assert answer["HX-Redirect"] == "/sessions/Shop%20B/"


def test_logging_out_asks_first_and_says_what_follows(cast: Cast, shop: Session) -> None:
    client = as_(cast.operator)
    asked = client.get("/sessions/Shop%20A/log-out/").content.decode()
    assert "It receives and sends nothing" in asked
    shop.refresh_from_db()
    assert shop.state == SessionState.CONNECTED
    client.post("/sessions/Shop%20A/log-out/")
    shop.refresh_from_db()
    assert shop.state == SessionState.LOGGED_OUT


def test_pausing_and_resuming_change_the_state(cast: Cast, shop: Session) -> None:
    client = as_(cast.operator)
    client.post("/sessions/Shop%20A/pause/")
    shop.refresh_from_db()
    assert shop.state == SessionState.PAUSED
    assert b"Resume Shop A" in client.get("/sessions/").content
    client.post("/sessions/Shop%20A/resume/")
    shop.refresh_from_db()
    assert shop.state == SessionState.CONNECTING


def test_a_code_for_what_is_connected_is_asked_about_first(cast: Cast, shop: Session) -> None:
    client, page = as_(cast.operator), "/sessions/Shop%20A/scan/"
    for answer in (client.get(page), client.post(page), client.post(page, headers=HTMX)):
        words = answer.content.decode()
        assert "“Shop A” is connected and stays so" in words
        assert "A scan ends the old connection for good" in words
        assert not LoginAttempt.objects.exists()
    assert (client.get(page).status_code, client.post(page).status_code) == (200, 422)
    client.post(page, {"force": "1"})
    assert LoginAttempt.objects.get().session == shop


@pytest.mark.parametrize("state", ["failing", "paused", "polled_elsewhere", "connecting"])
def test_whatever_wechat_has_not_ended_is_asked_about(
    cast: Cast, shop: Session, state: str
) -> None:
    Session.objects.update(state=state)
    assert as_(cast.operator).post("/sessions/Shop%20A/scan/").status_code == 422
    assert 'aria-label="Scan again Shop A"' in as_(cast.operator).get("/sessions/").content.decode()
    assert not LoginAttempt.objects.exists()


def test_a_session_that_ended_is_scanned_without_a_question(cast: Cast, shop: Session) -> None:
    Session.objects.update(state=SessionState.EXPIRED)
    as_(cast.operator).post("/sessions/Shop%20A/scan/")
    assert LoginAttempt.objects.get().session == shop


def test_starting_a_forced_login_again_asks_again(cast: Cast, shop: Session) -> None:
    attempt = attempts.start_login(
        user=cast.operator, session_name="Shop A", team=cast.team, session=shop, force=True
    )
    LoginAttempt.objects.update(status="expired", finished_at=timezone.now())
    answer = as_(cast.operator).post(f"/sessions/logins/{attempt.pk}/again/", headers=HTMX)
    assert (answer.status_code, LoginAttempt.objects.count()) == (422, 1)
    assert "is connected and stays so" in answer.content.decode()


CONSEQUENCES = {
    "pause": "wait at WeChat and arrive after you resume. Replies still go out",
    "default": "name an account use the default one",
    "rename": "Programs that use the old name no longer find it",
    "log-out": "Waiting replies are not sent",
    "scan": "people can be answered only after they write again",
}


@pytest.mark.parametrize("action", CONSEQUENCES)
def test_each_consequence_is_said_before_it_happens(cast: Cast, shop: Session, action: str) -> None:
    Session.objects.update(is_default=False)
    before = Session.objects.values().get()
    client, page = as_(cast.operator), f"/sessions/Shop%20A/{action}/"
    for headers in ({}, HTMX):
        answer = client.get(page, headers=headers)
        assert answer.status_code == 200
        assert CONSEQUENCES[action] in answer.content.decode()
    assert Session.objects.values().get() == before
    board = client.get("/sessions/").content.decode()
    assert f'hx-get="{page}"' in board  # no control does it without asking
    assert f'hx-post="{page}"' not in board


def test_deleting_says_what_follows_and_asks_for_the_name(cast: Cast, shop: Session) -> None:
    Session.objects.update(state=SessionState.LOGGED_OUT)
    client, page = as_(cast.operator), "/sessions/Shop%20A/delete/"
    asked = client.get(page, headers=HTMX).content.decode()
    assert "This cannot be undone." in asked
    assert "It is the default account" in asked
    assert client.post(page, {"name": "shop a"}, headers=HTMX).status_code == 422
    assert Session.objects.filter(deleted_at=None).exists()


def test_resuming_loses_nothing_and_the_menu_says_what_comes(cast: Cast, shop: Session) -> None:
    Session.objects.update(state=SessionState.PAUSED)
    page = as_(cast.operator).get("/sessions/").content.decode()
    assert (
        page.count("messages held by WeChat will arrive") == 2
    )  # the button's hint, the menu's line
    answer = as_(cast.operator).get("/sessions/Shop%20A/resume/")
    assert answer["Location"] == "/sessions/Shop%20A/"  # to look resumes nothing
    assert Session.objects.get().state == SessionState.PAUSED


def test_making_default_names_the_one_before_it(cast: Cast, shop: Session) -> None:
    other = make_session("Repairs")
    client, page = as_(cast.operator), "/sessions/Repairs/default/"
    assert "The current default is “Shop A”." in client.get(page, headers=HTMX).content.decode()
    client.post(page)
    assert Session.objects.get(is_default=True) == other


# Signing in, language


def test_wrong_words_at_the_login_are_answered_in_words(cast: Cast) -> None:
    form = {"username": "wei", "password": "wrong"}
    page = Client().post("/accounts/login/", form).content.decode()
    assert 'role="alert"' in page
    assert "wei" not in re.sub(r"<input[^>]*>", "", page)


def test_the_login_remembers_where_the_visitor_wanted_to_go(cast: Cast) -> None:
    form = {"username": "otto", "password": "otto-pw", "next": "/sessions/"}
    assert Client().post("/accounts/login/", form)["Location"] == "/sessions/"
    form["next"] = "https://example.com/"
    assert Client().post("/accounts/login/", form)["Location"] == "/"


def test_the_language_can_be_chosen_before_and_after_signing_in(cast: Cast) -> None:
    stranger = Client()
    stranger.post("/accounts/login/language/", {"language": "zh-hans"})
    assert 'lang="zh-hans"' in stranger.get("/accounts/login/").content.decode()
    as_(cast.agent).post("/i18n/", {"language": "zh-hans", "next": "//evil.example"})
    cast.agent.refresh_from_db()
    assert cast.agent.language == "zh-hans"
    assert 'lang="zh-hans"' in as_(cast.agent).get("/inbox/").content.decode()
    answer = as_(cast.agent).post("/i18n/", {"language": "tlh", "next": "//evil.example"})
    assert answer["Location"] == "/"
    cast.agent.refresh_from_db()
    assert cast.agent.language == "zh-hans"
