"""How long the files of a draft are kept, and what makes room."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from messaging.composing import draft_files
from messaging.models import Attachment, Conversation, Draft, Message, Upload
from messaging.transfers import retention
from sessions_app.models import User
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.messaging.composing.draft_trays import DAY, act, as_, bring, page, reply, shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation(cast: Cast) -> Conversation:
    receive(make_session("Shop A"), text_message("hello"))
    return Conversation.objects.get()


def age(**ages: timedelta) -> None:
    """`file` and `draft` were brought and changed so long ago."""
    now = timezone.now()
    Upload.objects.update(created_at=now - ages["file"])
    Draft.objects.update(updated_at=now - ages["draft"])


def sweep(later: timedelta = timedelta()) -> None:
    now = timezone.now() + later
    retention.end_uploads(now - DAY)
    draft_files.clear_unneeded(now)


def test_a_living_draft_keeps_its_files(cast: Cast, conversation: Conversation) -> None:
    one = bring(cast.agent, conversation)
    age(file=29 * DAY, draft=29 * DAY)
    sweep()
    age(file=90 * DAY, draft=DAY)
    sweep()
    assert reply(cast.agent, conversation, one).status_code == 200
    assert Attachment.objects.get().stored_bytes > 0


def test_a_file_that_is_gone_is_named_and_not_left_out(
    cast: Cast, conversation: Conversation
) -> None:
    gone, name = bring(cast.agent, conversation, "old.png"), Upload.objects.get().stored_name
    age(file=31 * DAY, draft=31 * DAY)
    number = Draft.objects.get().files_number
    sweep()
    assert not default_storage.exists(name)
    assert Draft.objects.get().files_number > number
    html = page(cast.agent, conversation)
    assert shown(html) == ["old.png"]
    assert "This file is no longer here. Add it again." in html
    fresh = bring(cast.agent, conversation, "new.png")
    assert reply(cast.agent, conversation, gone, fresh, text="both").status_code == 422
    assert not Message.objects.filter(direction="out").exists()
    assert act(cast.agent, conversation, f"{gone}/remove") == 200
    assert reply(cast.agent, conversation, fresh, text="one").status_code == 200
    sweep()


def disable(cast: Cast) -> None:
    User.objects.filter(pk=cast.agent.pk).update(is_active=False)


def leave(cast: Cast) -> None:
    cast.agent.teams.clear()


def demote(cast: Cast) -> None:
    cast.agent.groups.clear()


def move(cast: Cast) -> None:
    Conversation.objects.update(team=cast.other_team)


@pytest.mark.parametrize("away", [disable, leave, demote, move])
def test_who_may_not_answer_any_more_keeps_no_files(
    cast: Cast, conversation: Conversation, away: Callable[[Cast], None]
) -> None:
    bring(cast.agent, conversation)
    bring(cast.administrator, conversation)
    names = {one.owner_id: one.stored_name for one in Upload.objects.all()}
    age(file=20 * DAY, draft=20 * DAY)  # begun long before
    away(cast)
    sweep()
    age(file=21 * DAY, draft=21 * DAY)
    sweep(DAY - timedelta(minutes=1))
    assert default_storage.exists(names[cast.agent.pk])  # they may be back
    sweep(DAY + timedelta(minutes=1))
    assert not default_storage.exists(names[cast.agent.pk])
    assert default_storage.exists(names[cast.administrator.pk])


def test_who_is_back_within_a_day_has_their_files(cast: Cast, conversation: Conversation) -> None:
    one = bring(cast.agent, conversation)
    age(file=20 * DAY, draft=20 * DAY)
    for day in range(3):  # moved and moved back, day after day
        Conversation.objects.update(team=cast.other_team)
        sweep(day * DAY)
        Conversation.objects.update(team=cast.team)
        sweep(day * DAY + DAY / 2)
    assert Draft.objects.get().unneeded_since is None
    assert reply(cast.agent, conversation, one).status_code == 200


def test_forgotten_files_make_room_for_new_ones(
    cast: Cast, conversation: Conversation, settings: Any
) -> None:
    settings.MEDIA_LIMITS = {"most_waiting_bytes": 12}
    for name in ("older.txt", "small.txt", "larger-one.txt"):  # 9, 9 and 14 bytes
        bring(cast.agent, conversation, name)
        settings.MEDIA_LIMITS = {"most_waiting_bytes": 30}
    theirs = bring(cast.supervisor, conversation, "theirs.txt")
    age(file=DAY / 2, draft=DAY / 2)
    url, form = "/inbox/uploads/", {"conversation": conversation.pk}
    answer = as_(cast.agent).post(url, {**form, "file": SimpleUploadedFile("file", b"x")})
    assert answer.status_code == 422
    name = conversation.contact_name
    assert f"most of them for {name}." in answer.json()["error"]
    age(file=2 * DAY, draft=2 * DAY)
    Draft.objects.update(unneeded_since=timezone.now())  # they are kept for a day
    answer = as_(cast.agent).post(url, {**form, "file": SimpleUploadedFile("file", b"x")})
    assert answer.status_code == 422
    Draft.objects.update(unneeded_since=None)
    bring(cast.agent, conversation, "new.txt")
    mine = Upload.objects.filter(owner=cast.agent)
    gone = mine.get(stored_name="")
    assert (gone.file_name, gone.draft_id is None) == ("larger-one.txt", False)
    assert "This file is no longer here. Add it again." in page(cast.agent, conversation)
    assert Upload.objects.get(pk=theirs).stored_name
    Conversation.objects.update(team=cast.other_team)
    settings.MEDIA_LIMITS = {"most_waiting_bytes": 1}
    assert (
        "for"
        not in as_(cast.agent).post(url, {"file": SimpleUploadedFile("file", b"x")}).json()["error"]
    )


def test_a_deleted_conversation_or_member_leaves_no_files(
    cast: Cast, conversation: Conversation
) -> None:
    bring(cast.agent, conversation)
    bring(cast.supervisor, conversation)
    names = [one.stored_name for one in Upload.objects.all()]
    cast.agent.delete()
    Draft.objects.filter(user=cast.supervisor).delete()  # as with its conversation
    age(file=2 * DAY, draft=2 * DAY)
    sweep()
    assert not Upload.objects.exists()
    assert not any(default_storage.exists(name) for name in names)
