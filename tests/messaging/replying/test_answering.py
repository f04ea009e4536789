"""Which account the next reply goes from: said when it changed, asked for when it races."""

import re
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from messaging.conversations.errors import AccountChanged
from messaging.models import Conversation, Draft, Message, ParkedReply
from messaging.replying import parking, sending
from messaging.replying import services as replying
from messaging.replying.sending import Wish
from sessions_app.models import Context, Session, SessionState, User
from sessions_app.sessions import services
from sessions_app.team_settings.limits import team_settings
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply

HTMX = {"HX-Request": "true"}


@pytest.fixture
def shops(cast: Cast) -> tuple[Session, Session]:
    """李娜 wrote to Shop A first, then to Shop B: the route is Shop B."""
    first, second = make_session("Shop A"), make_session("Shop B")
    receive(first, text_message("hi A"))
    receive(second, text_message("hi B"), cursor="b")
    Context.objects.filter(session=first).update(received_at=timezone.now() - timedelta(minutes=9))
    Conversation.objects.get().contact.conversations.update(session=second)
    return first, second


@pytest.fixture
def conversation(shops: tuple[Session, Session]) -> Conversation:
    conversation = Conversation.objects.get()
    replying.rename_contact(
        contact=conversation.contact, team_id=conversation.team_id, name="Li Na", user=None
    )
    return conversation


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def news_of(conversation: Conversation, user: User, seen: Session | None = None) -> str:
    account = str(seen.pk) if seen else ""
    query = {"open": str(conversation.pk), "since": "team:0:0", "account": account}
    return as_(user).get("/inbox/changes/", query, headers=HTMX).content.decode()


def page_of(conversation: Conversation, user: User) -> str:
    return as_(user).get(f"/inbox/{conversation.pk}/").content.decode()


def reply(conversation: Conversation, user: User, **form: Any) -> tuple[int, str]:
    values = {"text": "今天送到", "draft_key": uuid.uuid4().hex, **form}
    answer = as_(user).post(f"/inbox/{conversation.pk}/reply/", values, headers=HTMX)
    return answer.status_code, answer.content.decode()


def save_draft(
    conversation: Conversation, user: User, account: Session, text: str = "I am on"
) -> None:
    form = {"text": text, "key": "k", "number": "0", "account": account.pk}
    assert as_(user).post(f"/inbox/{conversation.pk}/draft/", form).status_code == 200


def notice_in(page: str) -> str:
    found = re.search(r"data-account-notice>\s*<p>(.*?)</p>", page)
    return found[1] if found else ""


def expected_in(page: str) -> str:
    found: list[str] = re.findall(r'name="expected" value="(\d*)"', page)
    return found[-1]


def sign_out(session: Session) -> None:
    Session.objects.filter(pk=session.pk).update(state=SessionState.EXPIRED)


def write_to(session: Session) -> datetime:
    receive(session, text_message("and here?"), cursor=uuid.uuid4().hex)
    return Context.objects.get(session=session).received_at


def test_nothing_is_said_while_the_account_is_the_one_that_was_seen(
    cast: Cast, conversation: Conversation, shops: tuple[Session, Session]
) -> None:
    for page in (page_of(conversation, cast.agent), news_of(conversation, cast.agent, shops[1])):
        assert "Send as Shop B" in page
        assert notice_in(page) == ""
        assert expected_in(page) == str(shops[1].pk)


def test_a_newer_message_elsewhere_is_said_to_a_page_that_stands_open(
    cast: Cast, conversation: Conversation, shops: tuple[Session, Session]
) -> None:
    at = timezone.localtime(write_to(shops[0]))
    page = news_of(conversation, cast.agent, shops[1])
    assert notice_in(page) == f"Li Na wrote to Shop A at {at:%H:%M}; this will be sent from Shop A"
    assert "Send as Shop A" in page
    assert notice_in(news_of(conversation, cast.agent, shops[0])) == ""


def test_an_account_that_is_signed_out_is_said_and_the_button_names_the_other(
    cast: Cast, conversation: Conversation, shops: tuple[Session, Session]
) -> None:
    sign_out(shops[1])
    said = "Shop B is signed out; this will be sent from Shop A"
    for page in (news_of(conversation, cast.agent, shops[1]), page_of(conversation, cast.agent)):
        assert notice_in(page) == said
        assert page.count("Send as Shop A") == 1
        assert expected_in(page) == str(shops[0].pk)
    assert notice_in(news_of(conversation, cast.agent, shops[0])) == ""  # it was put away
    assert reply(conversation, cast.agent)[0] == 422  # a program that names nobody gets the offer
    status, page = reply(conversation, cast.agent, expected=shops[0].pk)
    assert status == 200
    assert Message.objects.get(direction="out").session == shops[0]


def test_an_account_that_was_logged_out_is_said(
    cast: Cast, conversation: Conversation, shops: tuple[Session, Session]
) -> None:
    services.log_out(session=shops[1], user=cast.operator)
    page = news_of(conversation, cast.agent, shops[1])
    assert notice_in(page) == "Shop B was logged out; this will be sent from Shop A"


def test_the_notice_is_in_the_readers_language(
    cast: Cast, conversation: Conversation, shops: tuple[Session, Session]
) -> None:
    User.objects.update(language="zh-hans")
    write_to(shops[0])
    assert "将由 Shop A 发送" in notice_in(news_of(conversation, cast.agent, shops[1]))
    sign_out(shops[0])
    assert "将由 Shop B 发送" in notice_in(news_of(conversation, cast.agent, shops[0]))


def test_a_draft_remembers_its_account_for_other_tabs_and_after_a_reload(
    cast: Cast, conversation: Conversation, shops: tuple[Session, Session]
) -> None:
    save_draft(conversation, cast.agent, shops[1])
    write_to(shops[0])
    page = page_of(conversation, cast.agent)
    assert "this will be sent from Shop A" in notice_in(page)
    assert f'data-drafted="{shops[1].pk}"' in page
    seen = as_(cast.agent).post(f"/inbox/{conversation.pk}/account/", {"account": shops[0].pk})
    assert seen.status_code == 204
    assert notice_in(page_of(conversation, cast.agent)) == ""
    assert notice_in(page_of(conversation, cast.supervisor)) == ""


def test_what_was_sent_is_forgotten_with_its_draft(
    cast: Cast, conversation: Conversation, shops: tuple[Session, Session]
) -> None:
    save_draft(conversation, cast.agent, shops[1])
    write_to(shops[0])
    assert reply(conversation, cast.agent, draft_key="k", expected=shops[0].pk)[0] == 200
    assert Draft.objects.get().account is None
    assert notice_in(page_of(conversation, cast.agent)) == ""


def test_an_account_of_another_team_is_not_kept(cast: Cast, conversation: Conversation) -> None:
    theirs = make_session("Theirs", team=cast.other_team)
    save_draft(conversation, cast.agent, theirs)
    assert Draft.objects.get().account is None
    as_(cast.agent).post(f"/inbox/{conversation.pk}/account/", {"account": theirs.pk})
    assert Draft.objects.get().account is None
    assert "Theirs" not in news_of(conversation, cast.agent, theirs)
    for user, status in ((cast.viewer, 403), (cast.outsider, 403), (cast.agent_elsewhere, 404)):
        answer = as_(user).post(f"/inbox/{conversation.pk}/account/", {"account": theirs.pk})
        assert answer.status_code == status


@pytest.mark.parametrize("change", ["newer", "signed out", "logged out"])
def test_a_send_that_races_with_the_change_asks_first(
    cast: Cast, conversation: Conversation, shops: tuple[Session, Session], change: str
) -> None:
    if change == "newer":
        write_to(shops[0])
    elif change == "signed out":
        sign_out(shops[1])
    else:
        services.log_out(session=shops[1], user=cast.operator)
    for more in ({}, {"override": "1"}, {"insist": "1"}):
        status, page = reply(conversation, cast.agent, expected=shops[1].pk, **more)
        assert status == 422
        assert "This would now be sent from Shop A." in page
        assert 'name="session_name" value="Shop A"' in page
    assert not Message.objects.filter(direction="out").exists()
    assert reply(conversation, cast.agent, expected=shops[1].pk, session_name="Shop A")[0] == 200
    assert Message.objects.get(direction="out").session == shops[0]


def test_a_double_click_across_the_change_is_still_one_message(
    cast: Cast, conversation: Conversation, shops: tuple[Session, Session]
) -> None:
    form = {"draft_key": "same", "expected": shops[1].pk}
    assert reply(conversation, cast.agent, **form)[0] == 200
    write_to(shops[0])
    assert reply(conversation, cast.agent, **form)[0] == 200
    assert Message.objects.get(direction="out").session == shops[1]


def test_a_parked_reply_that_races_stays_parked(
    cast: Cast, conversation: Conversation, shops: tuple[Session, Session]
) -> None:
    limits = team_settings()
    parking.park(
        user=cast.agent, conversation=conversation, text="later", draft_key="p", limits=limits
    )
    assert expected_in(page_of(conversation, cast.agent)) == str(shops[1].pk)
    write_to(shops[0])
    parked = ParkedReply.objects.get()
    answer = as_(cast.agent).post(
        f"/inbox/parked/{parked.pk}/send/", {"expected": shops[1].pk}, headers=HTMX
    )
    assert "This would now be sent from Shop A." in answer.content.decode()
    assert ParkedReply.objects.get().state == "waiting"


def test_a_reply_taken_back_was_meant_for_its_own_account(
    cast: Cast, conversation: Conversation, shops: tuple[Session, Session]
) -> None:
    message = send_reply(user=cast.agent, conversation=conversation, text="to B", draft_key="b")
    write_to(shops[0])
    headers = {**HTMX, "Live-Open": str(conversation.pk), "Live-Account": str(shops[0].pk)}
    page = as_(cast.agent).post(f"/inbox/messages/{message.pk}/edit/", headers=headers)
    assert f'data-draft-account="{shops[1].pk}"' in page.content.decode()
    assert "this will be sent from Shop A" in notice_in(page.content.decode())


def test_who_names_no_account_follows_the_route_as_before(
    cast: Cast, conversation: Conversation, shops: tuple[Session, Session]
) -> None:
    write_to(shops[0])
    sent = send_reply(user=cast.agent, conversation=conversation, text="hi", draft_key="1")
    assert sent.session == shops[0]
    wish = Wish("hi", "2", expected_id=shops[1].pk)
    with pytest.raises(AccountChanged) as refused:
        sending.send(user=cast.agent, conversation=conversation, wish=wish, limits=team_settings())
    assert refused.value.offer == ["Shop A"]


def test_an_account_with_its_replies_used_up_is_asked_about_and_never_stood_in_for(
    cast: Cast, conversation: Conversation, shops: tuple[Session, Session]
) -> None:
    Context.objects.filter(session=shops[1]).update(replies_used=10)
    page = page_of(conversation, cast.agent)
    assert notice_in(page) == ""
    assert expected_in(page) == str(shops[1].pk)
    status, page = reply(conversation, cast.agent, expected=shops[1].pk)
    assert status == 422
    assert "replies used" in page
