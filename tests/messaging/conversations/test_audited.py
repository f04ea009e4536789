"""What is recorded of work on conversations: one statement, however many they are."""

import pytest

from messaging.conversations import undo_notes, undoing, work
from messaging.models import Conversation, EventCode
from sessions_app.recording.actions import Action
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.queries import queries
from tests.sessions_app.audit.log import entries, only

pytestmark = pytest.mark.django_db


@pytest.fixture
def ids(cast: Cast) -> list[int]:
    session = make_session("Shop A", team=cast.team)
    receive(session, *(text_message("hi", sender=f"p{n}@im.wechat") for n in range(3)))
    return list(Conversation.objects.order_by("pk").values_list("pk", flat=True))


def test_assigning_names_each_conversation(cast: Cast, ids: list[int]) -> None:
    with queries() as seen:
        work.assign(ids=ids, assignee=cast.agent, user=cast.supervisor)
    found = entries(Action.CONVERSATION_ASSIGNED)
    assert [one.object_id for one in found] == [str(pk) for pk in ids]
    assert {(one.actor_name, one.details["to"]) for one in found} == {("sue", "wei")}
    assert sum("sessions_app_auditentry" in one for one in seen.statements) == 1, seen


def test_the_other_changes(cast: Cast, ids: list[int]) -> None:
    work.assign(ids=ids[:1], assignee=cast.agent, user=cast.agent)
    work.assign(ids=ids[:1], assignee=None, user=cast.agent)
    work.resolve(ids=ids[:1], user=cast.agent)
    work.resolve(ids=ids[:1], user=cast.agent)
    work.transfer(ids=ids[:1], team=cast.other_team, user=cast.agent)
    assert only(Action.CONVERSATION_UNASSIGNED).object_id == str(ids[0])
    assert only(Action.CONVERSATION_RESOLVED).object_id == str(ids[0])
    moved = only(Action.CONVERSATION_TRANSFERRED)
    assert (moved.team_id, moved.details) == (cast.other_team.pk, {"to": "Other team"})


def test_an_undo(cast: Cast, ids: list[int]) -> None:
    action = undo_notes.begin(user=cast.agent, code=EventCode.RESOLVED)
    work.resolve(ids=ids[:2], user=cast.agent, action=action)
    undoing.undo(action_id=action.pk, user=cast.agent)
    found = entries(Action.WORK_UNDONE)
    assert [(one.object_id, one.details) for one in found] == [
        (str(pk), {"undone": "resolved"}) for pk in ids[:2]
    ]
