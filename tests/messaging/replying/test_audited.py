"""Each send is one entry of the audit log, whoever sends it, without a word of its text."""

import pytest
from django.test import Client

from messaging.conversations.errors import ReplyError
from messaging.models import Conversation, Message
from messaging.replying import services
from sessions_app.models import AuditEntry
from sessions_app.people.tokens import issue_token
from sessions_app.recording.actions import Action
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.queries import queries
from tests.replies import send_reply
from tests.sessions_app.audit.log import entries, only

pytestmark = pytest.mark.django_db

SECRET = "the-parcel-of-lina"
"""What nobody else may read."""


@pytest.fixture
def conversation(cast: Cast) -> Conversation:
    receive(make_session("Shop A", team=cast.team), text_message("hello"))
    return Conversation.objects.get()


def sent(entry: AuditEntry) -> tuple[str, str, int | None, object]:
    return entry.actor_name, entry.object_id, entry.team_id, entry.details


def test_a_person_sends(cast: Cast, conversation: Conversation) -> None:
    send_reply(user=cast.agent, conversation=conversation, text=SECRET, draft_key="1")
    send_reply(user=cast.agent, conversation=conversation, text=SECRET, draft_key="1")
    facts = {"account": "Shop A", "count": 1}
    assert sent(only(Action.REPLY_SENT)) == ("wei", str(conversation.pk), cast.team.pk, facts)
    assert SECRET not in str(list(AuditEntry.objects.values()))


def test_a_program_sends(cast: Cast, conversation: Conversation) -> None:
    token, secret = issue_token(owner=cast.agent, name="night script")
    answer = Client().post(
        "/api/v1/messages",
        {"to": "lina@im.wechat", "text": SECRET},
        content_type="application/json",
        headers={"authorization": f"Bearer {secret}"},
    )
    assert answer.status_code == 202
    entry = only(Action.REPLY_SENT)
    assert (entry.actor_name, entry.token, entry.door) == ("wei", str(token), "api")


def test_a_refused_reply_that_is_sent_again(cast: Cast, conversation: Conversation) -> None:
    message = send_reply(user=cast.agent, conversation=conversation, text="hi", draft_key="1")
    Message.objects.filter(pk=message.pk).update(status="failed", holds_queue=True)
    services.retry_message(message=message, user=cast.supervisor)
    assert only(Action.REPLY_SENT_AGAIN).actor_name == "sue"


def test_what_is_refused_is_not_recorded(cast: Cast, conversation: Conversation) -> None:
    with pytest.raises(ReplyError):
        send_reply(user=cast.agent, conversation=conversation, text="", draft_key="1")
    assert not entries(Action.REPLY_SENT)


def test_it_costs_one_insert(cast: Cast, conversation: Conversation) -> None:
    with queries() as seen:
        send_reply(user=cast.agent, conversation=conversation, text="hi", draft_key="1")
    touching = [one for one in seen.statements if "sessions_app_auditentry" in one]
    assert len(touching) == 1, seen
    assert touching[0].startswith("INSERT")
