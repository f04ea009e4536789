"""The shared folder on the board: who receives, what is set aside, handing the polls over."""

from pathlib import Path

import pytest
from django.test import Client

from sessions_app.folder.mirror import shared
from sessions_app.models import Receiver, Session, SharedFolder, User
from tests.conftest import Cast
from tests.messaging.builders import make_session

pytestmark = pytest.mark.django_db

HAND_OVER, TAKE_BACK = "/sessions/-/folder/hand-over/", "/sessions/-/folder/take-back/"


@pytest.fixture
def folder(cast: Cast, shared_folder: Path) -> SharedFolder:
    make_session("Shop A")
    return SharedFolder.objects.create(pk=1, path="/srv/weilink", receiver=Receiver.CONSOLE)


def _as(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _board(user: User) -> str:
    return " ".join(_as(user).get("/sessions/").content.decode().split())


def _said(folder: SharedFolder, **columns: object) -> None:
    SharedFolder.objects.filter(pk=folder.pk).update(**columns)


def test_whoever_manages_sessions_may_let_another_program_receive(
    cast: Cast, folder: SharedFolder
) -> None:
    client = _as(cast.operator)
    assert HAND_OVER in client.get("/sessions/").content.decode()
    asked = client.get(HAND_OVER, headers={"HX-Request": "true"}).content.decode()
    assert "This console stops receiving for all accounts of the folder" in asked
    assert shared.shared_folder().handed_over_at is None
    client.post(HAND_OVER)
    assert shared.shared_folder().handed_over_at is not None
    page = _board(cast.operator)
    assert "Handed over: another program may receive now." in page
    client.post(TAKE_BACK)
    assert shared.shared_folder().handed_over_at is None


@pytest.mark.parametrize("url", [HAND_OVER, TAKE_BACK])
def test_nobody_else_may(cast: Cast, folder: SharedFolder, url: str) -> None:
    for user in (cast.supervisor, cast.agent, cast.viewer, cast.outsider, cast.agent_elsewhere):
        assert _as(user).post(url).status_code == 403
    assert Client().post(url).status_code == 302
    assert HAND_OVER not in _board(cast.viewer)


def test_while_another_program_receives_it_is_said_and_not_offered(
    cast: Cast, folder: SharedFolder
) -> None:
    _said(folder, receiver=Receiver.ANOTHER)
    page = _board(cast.operator)
    assert "Another program is receiving for this account folder." in page
    assert HAND_OVER not in page
    _as(cast.operator).post(HAND_OVER)
    assert shared.shared_folder().handed_over_at is None


def test_what_is_set_aside_is_named_with_its_reason(cast: Cast, folder: SharedFolder) -> None:
    aside = {"name": "<b>shop", "problem": "written_back", "reason": "…"}
    _said(folder, set_aside=[aside])
    page = _board(cast.operator)
    assert "&lt;b&gt;shop" in page
    assert "another program wrote it back after it was renamed or logged out" in page


def test_a_folder_that_is_not_there_is_said_on_the_board(cast: Cast, folder: SharedFolder) -> None:
    _said(folder, error_code="folder_absent")
    Session.objects.update(state="failing", error_code="folder_absent")
    page = _board(cast.operator)
    assert "The account folder is missing; no account was logged out" in page
    assert "on hold" in page


def test_with_sessions_in_the_database_there_is_no_folder(cast: Cast) -> None:
    SharedFolder.objects.create(pk=1, path="/srv/weilink", receiver=Receiver.CONSOLE)
    assert HAND_OVER not in _board(cast.operator)
    assert _as(cast.operator).get(HAND_OVER).status_code == 404
