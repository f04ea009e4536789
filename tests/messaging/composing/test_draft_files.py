"""Files of a draft belong to it: kept, ordered, sent and cleared with it, its owner's alone."""

import re

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from messaging.models import Attachment, Conversation, Draft, Message, ParkedReply, Upload
from sessions_app.models import User
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.messaging.composing.draft_trays import HTMX, PANE, act, as_, bring, page, reply, shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation(cast: Cast) -> Conversation:
    receive(make_session("Shop A"), text_message("hello"))
    return Conversation.objects.get()


def test_a_new_page_shows_the_files_in_their_order(cast: Cast, conversation: Conversation) -> None:
    bring(cast.agent, conversation, "second.txt", place=1)  # it was faster
    bring(cast.agent, conversation, "first.png", place=0)
    bring(cast.agent, conversation, "third.txt")
    names = ["first.png", "second.txt", "third.txt"]
    for html in (page(cast.agent, conversation), page(cast.agent, conversation, **PANE)):
        assert shown(html) == names
        assert html.count('name="upload"') == 3
        assert "/inbox/uploads/" in html
        assert "Remove first.png" in html
    assert shown(page(cast.supervisor, conversation)) == []


def test_the_order_is_the_page_s(cast: Cast, conversation: Conversation) -> None:
    one, two, three = (bring(cast.agent, conversation, f"{n}.txt") for n in "123")
    assert act(cast.agent, conversation, "order", upload=[three, one]) == 200
    assert shown(page(cast.agent, conversation)) == ["3.txt", "1.txt", "2.txt"]
    foreign = bring(cast.supervisor, conversation, "s.txt")
    assert act(cast.agent, conversation, "order", upload=[foreign, two, "0" * 32]) == 200
    assert shown(page(cast.agent, conversation)) == ["2.txt", "3.txt", "1.txt"]
    assert shown(page(cast.supervisor, conversation)) == ["s.txt"]


def test_removed_in_one_tab_is_removed_everywhere(cast: Cast, conversation: Conversation) -> None:
    one, two = bring(cast.agent, conversation, "1.txt"), bring(cast.agent, conversation, "2.txt")
    name = Upload.objects.get(pk=one).stored_name
    assert act(cast.agent, conversation, f"{one}/remove") == 200
    assert shown(page(cast.agent, conversation)) == ["2.txt"]
    assert not default_storage.exists(name)
    assert act(cast.agent, conversation, f"{one}/remove") == 404
    answer = reply(cast.agent, conversation, one, two)
    assert answer.status_code == 422
    assert "no longer here" in answer.content.decode()
    assert not Message.objects.filter(direction="out").exists()
    assert shown(page(cast.agent, conversation)) == ["2.txt"]


def test_without_javascript_a_file_is_removed_too(cast: Cast, conversation: Conversation) -> None:
    one = bring(cast.agent, conversation)
    url = f"/inbox/{conversation.pk}/draft/files/{one}/remove/"
    assert f'formaction="{url}"' in page(cast.agent, conversation)
    assert as_(cast.agent).post(url)["Location"] == f"/inbox/{conversation.pk}/"
    assert not Upload.objects.exists()


def test_a_colleague_reaches_no_file_of_another_s_draft(
    cast: Cast, conversation: Conversation
) -> None:
    one = bring(cast.agent, conversation, "mine.png")
    for other in (cast.supervisor, cast.administrator):
        assert act(other, conversation, f"{one}/remove") == 404
        assert act(other, conversation, "order", upload=[one]) == 200
        assert as_(other).get(f"/inbox/uploads/{one}/thumb/").status_code == 404
        assert reply(other, conversation, one, draft_key="x").status_code == 422
        assert one not in page(other, conversation)
    for other in (cast.viewer, cast.operator, cast.outsider):
        assert act(other, conversation, f"{one}/remove") == 403
        assert act(other, conversation, "order", upload=[one]) == 403
    assert act(cast.agent_elsewhere, conversation, f"{one}/remove") == 404
    assert act(cast.agent_elsewhere, conversation, "order", upload=[one]) == 404
    form = {"conversation": conversation.pk, "file": SimpleUploadedFile("file", b"x")}
    assert as_(cast.agent_elsewhere).post("/inbox/uploads/", form).status_code == 404
    assert not Draft.objects.exclude(user=cast.agent).filter(files__isnull=False).exists()
    assert Upload.objects.get().owner == cast.agent


@pytest.mark.parametrize("wrong", ["", "x", "0", "9" * 40, "²"])
def test_a_conversation_that_is_none_is_404(
    cast: Cast, conversation: Conversation, wrong: str
) -> None:
    form = {"conversation": wrong, "file": SimpleUploadedFile("file", b"x")}
    assert as_(cast.agent).post("/inbox/uploads/", form).status_code == 404
    assert not Upload.objects.exists()


@pytest.mark.parametrize("place", ["", "x", "-1", "9" * 15, "²"])
def test_a_place_that_is_none_breaks_nothing(
    cast: Cast, conversation: Conversation, place: str
) -> None:
    bring(cast.agent, conversation, place=place)
    assert shown(page(cast.agent, conversation)) == ["a.txt"]


def test_sending_takes_the_files_and_the_text_at_once(
    cast: Cast, conversation: Conversation
) -> None:
    one, two = bring(cast.agent, conversation, "1.png"), bring(cast.agent, conversation, "2.txt")
    later = bring(cast.agent, conversation, "later.txt")
    for _ in range(2):  # the second tab still shows them
        answer = reply(cast.agent, conversation, one, two, text="look", next_key="k2")
        assert answer.status_code == 200
    assert Message.objects.filter(direction="out").count() == 3
    assert Attachment.objects.count() == 2
    assert shown(page(cast.agent, conversation)) == ["later.txt"]
    assert reply(cast.agent, conversation, one, draft_key="k3").status_code == 422  # never twice
    draft = Draft.objects.get()
    assert (draft.key, draft.text, [file.pk for file in draft.files.all()]) == ("k2", "", [later])


def test_the_news_show_another_tab_how_the_files_stand(
    cast: Cast, conversation: Conversation
) -> None:
    def news(user: User) -> tuple[int, list[str]]:
        url = f"/inbox/changes/?open={conversation.pk}"
        html = as_(user).get(url, headers=HTMX).content.decode()
        tray = html.partition("data-tray-now")[2].partition("</ol>")[0]
        found = re.search(r'data-number="(\d+)"', tray)
        return int(found[1]) if found else -1, shown(tray)

    def version() -> int:
        conversation.refresh_from_db()
        return conversation.version

    assert news(cast.agent) == (0, [])
    before = version()
    one = bring(cast.agent, conversation, "1.txt")
    first, names = news(cast.agent)
    assert (names, news(cast.supervisor)) == (["1.txt"], (0, []))
    assert first > 0
    assert before < version()
    assert reply(cast.agent, conversation, one).status_code == 200
    second, names = news(cast.agent)
    assert (names, second > first) == ([], True)
    assert news(cast.viewer) == (-1, [])


def test_files_alone_are_a_draft_in_the_list(cast: Cast, conversation: Conversation) -> None:
    def says_draft(user: User) -> bool:
        page = as_(user).get("/inbox/").content.decode()
        return (
            "draft"
            in page.partition(f'id="conversation-{conversation.pk}"')[2].partition("</li>")[0]
        )

    assert not says_draft(cast.agent)
    one = bring(cast.agent, conversation)
    assert says_draft(cast.agent)
    assert not says_draft(cast.supervisor)
    act(cast.agent, conversation, f"{one}/remove")
    assert not says_draft(cast.agent)


def test_a_file_is_no_conflict_for_a_text_being_typed(
    cast: Cast, conversation: Conversation
) -> None:
    form = {"kind": "reply", "text": "so", "key": "k1", "number": "0"}
    url = f"/inbox/{conversation.pk}/draft/"
    assert as_(cast.agent).post(url, form).json()["number"] == 1
    bring(cast.agent, conversation)
    answer = as_(cast.agent).post(url, {**form, "text": "so far", "number": "1"})
    assert (answer.status_code, answer.json()["number"]) == (200, 2)
    bring(cast.agent, conversation)
    assert Draft.objects.get().text == "so far"


def test_undo_puts_the_files_before_those_added_since(
    cast: Cast, conversation: Conversation
) -> None:
    one, two = bring(cast.agent, conversation, "1.png"), bring(cast.agent, conversation, "2.txt")
    assert reply(cast.agent, conversation, one, two, text="look").status_code == 200
    bring(cast.agent, conversation, "since.txt", place=0)
    last = Message.objects.filter(direction="out").latest("id")
    as_(cast.agent).post(f"/inbox/messages/{last.pk}/edit/")  # without JavaScript
    assert shown(page(cast.agent, conversation)) == ["1.png", "2.txt", "since.txt"]
    assert Draft.objects.get().text == "look"


def test_a_note_and_a_parked_text_leave_the_files_alone(
    cast: Cast, conversation: Conversation
) -> None:
    one = bring(cast.agent, conversation)
    for values in ({"kind": "note"}, {"park": "1"}):
        assert reply(cast.agent, conversation, one, text="x", **values).status_code == 422
        assert reply(cast.agent, conversation, text="x", **values).status_code == 200
        assert shown(page(cast.agent, conversation)) == ["a.txt"]
    assert ParkedReply.objects.count() == 1
