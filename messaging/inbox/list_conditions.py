"""The condition that decides which conversations are in a list.

Rows, counts, updates and actions on “all that match” share it, so their numbers agree. Names are
looked up first, since an index can search for a key but not through a join.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThan

from messaging.conversations.finding import contact_matches
from messaging.inbox.lists import NOBODY, WAITS, Listing, View
from messaging.models import Conversation, ConversationStatus, Label, Mention
from sessions_app.models import SENDING_STATES, Session, User
from sessions_app.people.roles import Visitor

RARE = 3_000
"""A label on at most this many conversations is searched by the label, a frequent one by each
conversation of the list. Either way is slow for the other case."""

NOTHING = Q(pk__in=[])


def condition(listing: Listing, user: Visitor, *, now: datetime) -> Q:
    """The condition for the conversations of this list; `user` decides what “mine” means."""
    wanted = _of_view(listing.view, user, now)
    if listing.status:
        wanted &= Q(status=listing.status)
    if listing.session:
        wanted &= _of_session(listing.session)
    if listing.label:
        wanted &= _labelled(listing.label)
    if listing.agent:
        wanted &= _of_agent(listing.agent)
    if listing.words:
        wanted &= contact_matches(listing.words)
    return wanted


def _of_view(view: View, user: Visitor, now: datetime) -> Q:
    is_open = Q(status=ConversationStatus.OPEN)
    match view:
        case View.MINE:
            return is_open & Q(assignee=user.pk)
        case View.UNASSIGNED:
            return is_open & Q(assignee=None)
        case View.NEEDS_REPLY:
            return is_open & WAITS & _is_open_at(now) & _can_send()
        case View.NOT_SENT:
            return Q(not_sent__gt=0)
        case View.MISSED:
            return Q(missed_at__isnull=False)
        case View.MENTIONS:
            unseen = Mention.objects.filter(user=user.pk, seen_at=None)
            return Q(pk__in=unseen.values("conversation"))
        case View.SNOOZED | View.RESOLVED:
            return Q(status=view.value)
    return Q()


def _is_open_at(now: datetime) -> Q:
    """`closes_at > now`, written so that no index on closing times is used: the index of waiting
    conversations is smaller and has all the columns."""
    return Q(GreaterThan(Coalesce("closes_at", "closes_at"), now))


def _can_send() -> Q:
    """Names the sessions that cannot send, as they are few: checking each conversation's session
    would cost more than the rest of the query."""
    return Q(session__isnull=False) & ~Q(session__in=mute_sessions())


def mute_sessions(among: Collection[int] | None = None) -> list[int]:
    """Keys of sessions that cannot send; the same rule as `Session.may_send`."""
    dead = Q(encrypted_token="") | ~Q(state__in=SENDING_STATES)
    if among is not None:
        dead &= Q(pk__in=among)
    return list(Session.objects.filter(dead).order_by("pk").values_list("pk", flat=True))


def _of_session(name: str) -> Q:
    key = Session.objects.filter(name=name).values_list("pk", flat=True).first()
    return NOTHING if key is None else Q(session=key)


def _of_agent(username: str) -> Q:
    if username == NOBODY:
        return Q(assignee=None)
    key = User.objects.filter(username=username).values_list("pk", flat=True).first()
    return NOTHING if key is None else Q(assignee=key)


def _labelled(name: str) -> Q:
    labels = list(Label.objects.filter(name=name).values_list("pk", flat=True))
    carried: Any = Conversation.labels.through.objects.filter(label__in=labels)
    if carried.values("pk")[: RARE + 1].count() <= RARE:
        return Q(pk__in=carried.values("conversation"))
    return Q(Exists(carried.filter(conversation=OuterRef("pk"))))
