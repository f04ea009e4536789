"""Conversations of a member who may answer no more go back to Unassigned, with a line."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from messaging.conversations import work
from messaging.conversations.event_words import event_sentence
from messaging.conversations.leavers import Leavers
from messaging.models import Conversation, Message
from sessions_app.models import Team, User
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message

pytestmark = pytest.mark.django_db


def _disable(member: User) -> None:
    User.objects.filter(pk=member.pk).update(is_active=False)


def _demote(member: User) -> None:
    member.groups.set([Group.objects.get(name="viewer")])


def _leave_team(member: User) -> None:
    member.teams.set([Team.objects.create(name="Elsewhere")])


def _assigned(cast: Cast, *people: str) -> list[Conversation]:
    session = make_session()
    for name in people:
        receive(session, text_message("hi", sender=f"{name}@im.wechat"))
    conversations = list(Conversation.objects.order_by("pk"))
    work.assign(ids=[one.pk for one in conversations], assignee=cast.agent, user=None)
    return conversations


def _owners() -> set[str | None]:
    return set(Conversation.objects.values_list("assignee__username", flat=True))


@pytest.mark.parametrize("leave", [_disable, _demote, _leave_team])
def test_whoever_leaves_gives_conversations_back(cast: Cast, leave: Callable[[User], None]) -> None:
    open_one, snoozed = _assigned(cast, "a", "b")
    work.snooze(ids=[snoozed.pk], until=timezone.now() + timedelta(hours=1), user=None)
    leavers = Leavers()
    assert leavers.look() == 0
    leave(cast.agent)

    assert leavers.look() == 2
    assert _owners() == {None}
    [line] = Message.objects.filter(conversation=open_one, event="released")
    assert event_sentence(line) == (
        f"Back in the queue: {cast.agent.display_name} "
        "can no longer answer conversations of this team"
    )
    assert leavers.look() == 0


def test_what_is_resolved_keeps_its_owner_until_it_opens_again(cast: Cast) -> None:
    [conversation] = _assigned(cast, "a")
    work.resolve(ids=[conversation.pk], user=cast.agent)
    _disable(cast.agent)
    leavers, now = Leavers(), timezone.now()
    assert leavers.look(now) == 0
    assert conversation.session is not None
    receive(conversation.session, text_message("again", sender="a@im.wechat"))
    assert leavers.look(now + timedelta(seconds=61)) == 1
    assert _owners() == {None}


def test_while_nobody_changes_a_look_reads_three_small_tables(
    cast: Cast, django_assert_num_queries: Callable[[int], object]
) -> None:
    _assigned(cast, "a")
    leavers = Leavers()
    leavers.look()
    with django_assert_num_queries(3):  # type: ignore[attr-defined]
        assert leavers.look() == 0


def test_members_who_stay_keep_theirs(cast: Cast) -> None:
    _assigned(cast, "a")
    leavers = Leavers()
    leavers.look()
    _disable(cast.viewer)
    assert leavers.look() == 0
    assert _owners() == {cast.agent.username}
