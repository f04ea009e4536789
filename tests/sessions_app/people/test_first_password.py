"""A password that the console printed must be changed before anything else is opened."""

import pytest
from channels.testing import WebsocketCommunicator
from django.test import Client

from sessions_app.models import Team, User
from sessions_app.people.roles import Role
from tests.conftest import in_thread, make_user
from weilink_site import first_run
from weilink_site.asgi import application

PAGE = "/account/password/new/"
NEW = {"new_password1": "Correct horse 7", "new_password2": "Correct horse 7"}


@pytest.fixture
def printed(db: None) -> str:
    """The password of the first administrator, as a start without a terminal prints it."""
    said: list[str] = []
    first_run.first_administrator(said.append)
    assert "The first login asks for a new password." in said[1]
    return said[0].rpartition(" ")[2]


@pytest.fixture
def client(printed: str) -> Client:
    client = Client()
    form = {"username": "admin", "password": printed}
    assert client.post("/accounts/login/", form).status_code == 302
    return client


def admin() -> User:
    return User.objects.get(username="admin")


@pytest.mark.parametrize(
    "path", ["/", "/inbox/?view=mine", "/sessions/", "/account/", "/admin/", "/api/docs"]
)
def test_every_page_leads_to_the_new_password(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(f"{PAGE}?next=")


def test_nothing_is_done_before_it(client: Client) -> None:
    for path in ("/account/tokens/", "/account/theme/", "/sessions/add/", "/account/password/"):
        answer = client.post(path, {"theme": "dark"})
        assert (answer.status_code, answer.headers["Location"]) == (302, PAGE), path
    answer = client.get("/api/v1/status")
    assert answer.status_code == 401
    assert "Choose a new password first" in answer.content.decode()


def test_then_the_way_goes_on_and_the_printed_password_is_of_no_use(
    client: Client, printed: str
) -> None:
    place = client.get("/sessions/?x=1").headers["Location"]
    page = client.get(place).content.decode()
    assert 'name="next" value="/sessions/?x=1"' in page
    answer = client.post(PAGE, {**NEW, "next": "/sessions/?x=1"})
    assert answer.headers["Location"] == "/sessions/?x=1"
    assert client.get("/sessions/").status_code == 200
    assert not admin().check_password(printed)
    assert client.get(PAGE).headers["Location"] == "/account/"


def test_the_same_or_a_weak_password_is_refused(client: Client, printed: str) -> None:
    for first, second, words in (
        (printed, printed, "Choose another password than your current one."),
        ("1234", "1234", "too short"),
        ("Correct horse 7", "Correct horse 8", "The two new passwords differ."),
        ("", "", "This field is required."),
    ):
        answer = client.post(PAGE, {"new_password1": first, "new_password2": second})
        assert answer.status_code == 422
        assert words in answer.content.decode()
    assert admin().must_change_password


def test_the_way_on_leads_nowhere_else(client: Client) -> None:
    answer = client.post(PAGE, {**NEW, "next": "https://evil.example/"})
    assert answer.headers["Location"] == "/"


def test_who_does_not_want_to_signs_out(client: Client) -> None:
    assert client.post("/accounts/logout/").headers["Location"] == "/accounts/login/"


def test_nobody_else_is_asked(db: None) -> None:
    first_run.make_administrator("demo", "pw")
    client = Client()
    client.force_login(User.objects.get(username="demo"))
    assert client.get("/sessions/").status_code == 200


async def test_no_websocket_opens_before_it(seeded: Team) -> None:
    def cookie() -> bytes:
        user = make_user("wei", Role.AGENT, seeded)
        User.objects.update(must_change_password=True)
        client = Client()
        client.force_login(user)
        return f"weilink_session={client.session.session_key}".encode()

    headers = [
        (b"origin", b"http://localhost:8000"), (b"host", b"localhost:8000"),
        (b"cookie", await in_thread(cookie)()),
    ]  # fmt: skip
    socket = WebsocketCommunicator(application, "/ws/live/", headers)
    assert await socket.connect() == (False, 4401)
