"""PostgreSQL takes no NUL: none that a page posts, or an address holds, reaches a query."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from messaging.models import Conversation, Draft, Message
from sessions_app.models import User
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
ID = "0" * 31


@pytest.fixture
def conversation(cast: Cast) -> Conversation:
    receive(make_session("Shop A"), text_message("hello"))
    return Conversation.objects.get()


@pytest.fixture(autouse=True)
def _strict(conversation: Conversation) -> Iterator[None]:
    """As PostgreSQL's client refuses it, which SQLite does not."""

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        assert "\0" not in str(params).replace("\\x00", "\0"), sql
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_draft_s_key_loses_it(cast: Cast, conversation: Conversation) -> None:
    form = {"text": "so far", "key": "a\0b", "number": "0"}
    assert as_(cast.agent).post(f"/inbox/{conversation.pk}/draft/", form).status_code == 200
    assert Draft.objects.get().key == "ab"


@pytest.mark.parametrize("wrong", [f"{ID}\0", "\0", "", "0" * 33, "z" * 32, "０" * 32])
def test_a_file_s_id_that_is_none_is_a_file_that_is_not_here(
    cast: Cast, conversation: Conversation, wrong: str
) -> None:
    form = {"text": "look", "draft_key": "k1", "upload": [wrong]}
    answer = as_(cast.agent).post(f"/inbox/{conversation.pk}/reply/", form, headers=HTMX)
    assert answer.status_code == 422
    assert "no longer here" in answer.content.decode()
    assert not Message.objects.filter(direction="out").exists()


@pytest.mark.parametrize(
    "form",
    [
     {"text": "a\0b"}, {"kind": "note", "text": "a\0b @x\0"}, {"park": "1", "text": "a\0b"},
     {"text": "x", "session_name": "Shop\0 A"}, {"text": "x", "override_as": "\0"},
     {"text": "x", "next_key": "n\0", "draft_key": "\0"}, {"text": "x", "expected": "1\0"},
     {"text": "x", "also": "\0"}, {"text": "x", "seen_up_to": "1\0"},
    ],
)  # fmt: skip
def test_a_reply_with_it_is_no_error(
    cast: Cast, conversation: Conversation, form: dict[str, str]
) -> None:
    url = f"/inbox/{conversation.pk}/reply/"
    for headers in (HTMX, {}):
        answer = as_(cast.agent).post(url, {"draft_key": "k", **form}, headers=headers)
        assert answer.status_code in (200, 302, 422)


@pytest.mark.parametrize(
    ("path", "form"),
    [
     ("{pk}/draft/files/order/", {"upload": ["\0", ID]}), ("{pk}/here/", {"types": "\0"}),
     ("{pk}/name/", {"name": "a\0b"}), ("{pk}/note/", {"note": "a\0b"}),
     ("work/assign/", {"ids": "{pk}", "assignee": "\0"}), ("work/undo/", {"action": "\0"}),
     ("work/label/", {"ids": "{pk}", "done": "1", "labels": ["a\0"], "new": "v\0", "had": ["\0"]}),
     ("work/snooze/", {"ids": "{pk}", "until": "\0"}),
     ("work/transfer/", {"ids": "{pk}", "team": "\0"}),
     ("{pk}/account/", {"account": "\0"}), ("{pk}/read/", {"up_to": "\0"}),
    ],
)  # fmt: skip
def test_no_other_post_breaks(
    cast: Cast, conversation: Conversation, path: str, form: dict[str, Any]
) -> None:
    form = {key: str(conversation.pk) if one == "{pk}" else one for key, one in form.items()}
    form["list"] = "q=\0&label=%00"
    answer = as_(cast.agent).post(f"/inbox/{path.format(pk=conversation.pk)}", form, headers=HTMX)
    assert answer.status_code < 500


def test_a_file_brought_with_it_is_kept(cast: Cast, conversation: Conversation) -> None:
    form = {"name": "a%00b.txt", "key": "\0", "conversation": str(conversation.pk), "place": "\0"}
    file = SimpleUploadedFile("file", b"hello")
    answer = as_(cast.agent).post("/inbox/uploads/", {**form, "file": file})
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "address",
    ["/inbox/changes/?login=a%00b&open=%00&list=q%3D%2500", "/inbox/?q=%00&label=%00&session=%00",
     "/palette/?q=%00", "/inbox/uploads/%00/thumb/", "/sessions/%00/", "/sessions/logins/a%00/",
     "/scan/%00/", "/scan/a%00b/state/"],
)  # fmt: skip
def test_no_address_breaks(cast: Cast, address: str) -> None:
    assert as_(cast.administrator).get(address).status_code < 500


@pytest.mark.parametrize("name", ["\0", "Shop\0 B"])
def test_no_name_of_an_account_breaks(cast: Cast, name: str) -> None:
    client = as_(cast.administrator)
    for path in ("/sessions/Shop%20A/rename/", "/sessions/-/new/", "/sessions/%00/pause/"):
        answer = client.post(path, {"name": name, "label": name}, headers=HTMX)
        assert answer.status_code < 500, path
