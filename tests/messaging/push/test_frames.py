"""What a frame of the websocket carries: the same markup that its page would have asked for."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from messaging.composing import drafts
from messaging.conversations import rows, work
from messaging.inbox import list_counts
from messaging.models import Conversation, Message
from messaging.push.content import InboxContent
from messaging.replying import notes
from messaging.retention.forgetting import forget
from sessions_app.models import Session, Team, User
from sessions_app.realtime.frames import Loaded, Reader, Shown, Span
from sessions_app.realtime.rights import rights_of
from sessions_app.realtime.streams import announcing, numbers_of
from tests.announced import announced
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.queries import queries

pytestmark = pytest.mark.django_db

LINE = re.compile(r"\s+")


@pytest.fixture
def shop(cast: Cast) -> Session:
    return make_session("Shop A")


@pytest.fixture
def conversation(shop: Session) -> Conversation:
    receive(shop, text_message("before"))
    return Conversation.objects.get()


def reader_of(user: User, query: str = "", *, kind: str = "inbox", **shown: Any) -> Reader:
    rights = rights_of(User.objects.get(pk=user.pk))
    shows = Shown(kind=kind, query=query, language=user.language or "en", **shown)
    return Reader(rights.user, rights.teams, rights.may, shows)


class Changes:
    """Acts inside the `with` block, and the span that the hub would read after them."""

    def __init__(self, team: Team) -> None:
        self.key = team.stream_key
        self.readers = [reader_of(user) for user in User.objects.filter(username="vic")]
        self.start = numbers_of([self.key])[self.key]
        self._announced = announced()

    def __enter__(self) -> "Changes":
        self._seen = self._announced.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._announced.__exit__(*error)

    @property
    def span(self) -> Span:
        end = numbers_of([self.key])[self.key]
        return Span(self.key, self.start, end, frozenset(self._seen.topics))

    def loaded(self, content: InboxContent | None = None) -> Loaded:
        found = (content or InboxContent()).load(self.span, self.readers)
        assert found is not None
        return found


def frame(loaded: Loaded, reader: Reader) -> dict[str, Any]:
    [text] = loaded.frames([reader])
    assert text is not None
    answer: dict[str, Any] = json.loads(text)
    return answer


def row_in(html: str, conversation: Conversation) -> str:
    """The row's markup, its spaces made one."""
    begin = html.index(f'id="conversation-{conversation.pk}"')
    begin = html.rindex("<li", 0, begin)
    return LINE.sub(" ", html[begin : html.index("</li>", begin) + 5])


def asked(user: User, span: Span, query: str = "") -> str:
    """What the page of this user is told when it asks itself."""
    client = Client()
    client.force_login(user)
    numbers = {"since": f"{span.key}:{span.start}", "list": query}
    return client.get("/inbox/changes/", numbers, headers={"HX-Request": "true"}).content.decode()


def work_on(conversation: Conversation, cast: Cast) -> None:
    """A row with a draft of the supervisor, labels and an agent."""
    drafts.save_draft(
        user=cast.supervisor, conversation=conversation, kind="reply", text="I", key="k", number=0
    )
    work.label(ids=[conversation.pk], user=cast.agent, add=["vip", "late", "third"])
    work.assign(ids=[conversation.pk], assignee=cast.agent, user=cast.supervisor)


QUERIES = ("", "view=mine", "view=needs_reply&sort=closing", "session=Shop+A&label=vip")


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("name", ["agent", "supervisor", "viewer", "administrator"])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_row_is_the_one_that_the_page_would_ask_for(
    cast: Cast, conversation: Conversation, shop: Session, name: str, query: str, language: str
) -> None:
    user: User = getattr(cast, name)
    user.language = language
    user.save()
    with Changes(cast.team) as changes:
        receive(shop, text_message("<b>new</b> & old"))
        work_on(conversation, cast)
    pushed = frame(changes.loaded(), reader_of(user, query))
    assert pushed["from"] == {changes.key: changes.start}
    assert pushed["streams"] == {changes.key: changes.span.end}
    answer = asked(user, changes.span, query)
    assert row_in(pushed["html"], conversation) == row_in(answer, conversation)


def test_what_only_one_reader_sees_reaches_nobody_else(
    cast: Cast, conversation: Conversation
) -> None:
    with Changes(cast.team) as changes:
        work_on(conversation, cast)
    loaded = changes.loaded()
    theirs = row_in(frame(loaded, reader_of(cast.supervisor))["html"], conversation)
    others = row_in(frame(loaded, reader_of(cast.administrator))["html"], conversation)
    assert "draft" in theirs
    assert "draft" not in others


def test_a_row_that_left_the_list_is_taken_away(cast: Cast, conversation: Conversation) -> None:
    with Changes(cast.team) as changes:
        work.resolve(ids=[conversation.pk], user=cast.agent)
    html = frame(changes.loaded(), reader_of(cast.agent, "view=needs_reply"))["html"]
    assert row_in(html, conversation).endswith("data-removed></li>")


def test_a_row_that_left_the_team_is_taken_away_there(
    cast: Cast, conversation: Conversation
) -> None:
    both = cast.supervisor
    both.teams.add(cast.other_team)
    with Changes(cast.team) as changes:
        work.transfer(ids=[conversation.pk], team=cast.other_team, user=cast.agent)
    loaded = changes.loaded()
    assert "data-removed" in frame(loaded, reader_of(cast.agent))["html"]
    assert "data-removed" not in frame(loaded, reader_of(both))["html"]


def test_readers_of_the_same_list_share_one_frame_and_no_reader_costs_a_query(
    cast: Cast, conversation: Conversation, shop: Session
) -> None:
    with Changes(cast.team) as changes:
        receive(shop, text_message("new"))
    loaded = changes.loaded()
    readers = [reader_of(cast.agent), reader_of(cast.supervisor), reader_of(cast.viewer)]
    with queries() as statements:
        texts = loaded.frames([*readers * 20, reader_of(cast.viewer, "view=mine")])
    assert texts[0] is texts[1]
    assert len(set(texts)) == 3
    assert len(statements) <= 2 * 4  # of `rights_of` in this test


def test_it_says_who_wrote_for_pages_without_a_list_too(
    cast: Cast, conversation: Conversation, shop: Session
) -> None:
    with Changes(cast.team) as changes:
        receive(shop, text_message("new"))
    told = frame(changes.loaded(), reader_of(cast.agent, kind="told"))
    assert told["list"] is None
    assert f'data-conversation="{conversation.pk}"' in told["html"]
    assert "conversation-rows" not in told["html"]


def test_the_open_conversation_comes_with_its_bubbles_and_the_pages_own_token(
    cast: Cast, conversation: Conversation, shop: Session
) -> None:
    with Changes(cast.team) as changes:
        receive(shop, text_message("the newest words"))
    loaded = changes.loaded()
    reader = reader_of(cast.agent, open=conversation.pk)
    assert loaded.is_open_at(reader)
    assert not loaded.is_open_at(reader_of(cast.agent))
    text = loaded.frame_for(reader, {changes.key: changes.start, cast.agent.stream_key: 0})
    assert text is not None
    own = json.loads(text)
    assert own["open"] == str(conversation.pk)
    assert 'data-into="messages-' in own["html"]
    assert "the newest words" in own["html"]
    assert str(conversation.pk) in frame(loaded, reader)["conversations"]


def test_a_message_that_changed_without_its_conversations_row_comes_too(
    cast: Cast, conversation: Conversation
) -> None:
    message = Message.objects.get()
    with Changes(cast.team) as changes, announcing() as change:
        rows.touch_messages(change, conversation, message)
    loaded = changes.loaded()
    reader = reader_of(cast.agent, open=conversation.pk)
    assert loaded.is_open_at(reader)
    text = loaded.frame_for(reader, {changes.key: changes.start})
    assert f'id="message-{message.pk}"' in json.loads(text or "")["html"]


def test_who_lost_the_right_gets_no_frame_of_the_open_conversation(
    cast: Cast, conversation: Conversation, shop: Session
) -> None:
    reader = reader_of(cast.agent, open=conversation.pk)
    cast.agent.groups.clear()
    with Changes(cast.team) as changes:
        receive(shop, text_message("secret"))
    assert changes.loaded().frame_for(reader, {changes.key: changes.start}) is None


@pytest.mark.parametrize("topic", ["login:1", "session:1", "folder", "unknown"])
def test_what_a_frame_cannot_show_is_asked_for(
    cast: Cast, conversation: Conversation, topic: str
) -> None:
    span = Span(cast.team.stream_key, 0, 9, frozenset([f"conversation:{conversation.pk}", topic]))
    assert InboxContent().load(span, [reader_of(cast.agent)]) is None


def test_numbers_that_moved_while_nobody_was_sent_content_are_counted_anew(
    cast: Cast, conversation: Conversation
) -> None:
    content, reader = InboxContent(), reader_of(cast.agent)
    content.counts([reader])
    with Changes(cast.team) as changes:
        work.assign(ids=[conversation.pk], assignee=cast.agent, user=cast.agent)
    assert content.load(changes.span, []) is None
    [text] = content.counts([reader])
    assert json.loads(text or "")["views"]["mine"] == "1"


def test_counts_are_right_after_whatever_happened(
    cast: Cast, conversation: Conversation, shop: Session
) -> None:
    content, people = InboxContent(), [cast.agent, cast.supervisor, cast.viewer]
    ids = [conversation.pk]
    acts: list[Any] = [
        lambda: receive(shop, text_message("hello", sender="b@im.wechat")),
        lambda: work.assign(ids=ids, assignee=cast.agent, user=cast.agent),
        lambda: work.assign(ids=ids, assignee=cast.supervisor, user=cast.agent),
        lambda: receive(shop, text_message("again")),
        lambda: work.resolve(ids=ids, user=cast.agent),
        lambda: work.reopen(ids=ids, user=cast.agent),
        lambda: work.assign(ids=ids, assignee=None, user=cast.agent),
        lambda: work.transfer(ids=ids, team=cast.other_team, user=cast.agent),
    ]
    for act in acts:
        with Changes(cast.team) as changes:
            act()
        changes.loaded(content)
        for user in people:
            known = content._counting.counts(user, rights_of(user).teams)
            assert known == list_counts.counts(user, now=timezone.now())


def test_a_mention_counts_for_who_was_named(cast: Cast, conversation: Conversation) -> None:
    content = InboxContent()
    reader = reader_of(cast.supervisor)
    content.counts([reader])
    notes.write_note(user=cast.agent, conversation=conversation, text="@sue look", draft_key="n")
    content.load(Span(cast.supervisor.stream_key, 0, 1, frozenset()), [reader])
    [text] = content.counts([reader])
    assert json.loads(text or "")["views"]["mentions"] == "1"


def test_a_deleted_conversation_leaves_every_list(
    shop: Session, conversation: Conversation, cast: Cast
) -> None:
    """Forgotten or too old: a frame takes its row away, and a page that has it open is told."""
    changes = Changes(cast.team)
    with changes:
        forget(conversation.contact.user_id)
    loaded, reader = changes.loaded(), reader_of(cast.agent)
    html = frame(loaded, reader)["html"]
    assert f'<li id="conversation-{conversation.pk}" data-removed></li>' in html
    assert frame(loaded, reader)["conversations"] == [str(conversation.pk)]
    assert loaded.is_open_at(reader_of(cast.agent, open=conversation.pk))
    opened = loaded.frame_for(
        reader_of(cast.agent, open=conversation.pk), {changes.key: changes.start}
    )
    assert opened is not None
    assert f'data-gone="{conversation.pk}"' in json.loads(opened)["html"]
