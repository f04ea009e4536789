"""Views of the composer: drafts, presence, parked replies, and messages that are edited again."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from messaging.composing import drafts
from messaging.composing.drafts import DraftChanged, DraftTooLong
from messaging.conversations import presence
from messaging.conversations.access import conversation_or_404, conversations_of, message_or_404
from messaging.conversations.errors import ReplyError
from messaging.inbox.views.answering import account_named
from messaging.inbox.views.compose_pane import Draft, tray_of
from messaging.inbox.views.message import UNPROCESSABLE, actor, posted_key
from messaging.inbox.views.panes import news
from messaging.models import Conversation, DraftKind, Message, ParkedReply
from messaging.models import Draft as DraftRow
from messaging.replying import notes, parking, queries, sending, typing_sign
from messaging.replying.sending import TakenBack
from messaging.text.splitting import parts_of
from sessions_app.models import User
from sessions_app.pages.answers import is_htmx
from sessions_app.people.preferences import preferences_of
from sessions_app.people.roles import Capability, may
from sessions_app.sessions.access import require
from sessions_app.team_settings.limits import team_settings

CONFLICT = 409
MOST_ROWS = 200


@require_POST
def draft(request: HttpRequest, pk: int) -> JsonResponse:
    """Save the draft. 409 with the current text if another tab has changed it.

    422 if it is too long; the saved draft stays as it is.
    """
    require(request.user, Capability.ANSWER)
    conversation = conversation_or_404(request.user, pk)
    form, number = request.POST, request.POST.get("number", "")
    text = form.get("text", "").replace("\r\n", "\n").replace("\0", "")
    try:
        kept = drafts.save_draft(
            user=actor(request),
            conversation=conversation,
            kind=DraftKind.NOTE if form.get("kind") == DraftKind.NOTE else DraftKind.REPLY,
            text=text,
            key=posted_key(request, "key"),
            account_id=account_named(request, "account"),
            number=int(number) if number.isascii() and number.isdigit() and len(number) < 9 else 0,
        )
    except DraftChanged as changed:
        return JsonResponse(_draft_values(changed.draft), status=CONFLICT)
    except DraftTooLong:
        return JsonResponse({}, status=UNPROCESSABLE)
    limit = team_settings().warn_characters
    parts = len(parts_of(text, characters=limit)) if len(text) > limit else 1
    return JsonResponse({**_draft_values(kept), "parts": parts})


def _draft_values(row: DraftRow) -> dict[str, Any]:
    return {"number": row.number, "key": row.key, "text": row.text}


@require_POST
def here(request: HttpRequest, pk: int) -> JsonResponse:
    """A page has opened the conversation, types in it, or leaves it. Answers who is there."""
    conversation = conversation_or_404(request.user, pk)
    user, types = actor(request), request.POST.get("types", "")
    if request.POST.get("left"):
        people = presence.leave(user=user, conversation=conversation)
    else:
        people = presence.arrive(user=user, conversation=conversation, types=bool(types))
        notes.see_mentions(user=user, conversation=conversation)
    _show_typing(user, conversation, types == DraftKind.REPLY)
    return JsonResponse({"people": [_person(one) for one in people]})


def _person(one: presence.Present) -> dict[str, Any]:
    return {
        "user_id": one.user_id,
        "name": one.name,
        "until": one.until,
        "types_until": one.types_until,
    }


def _show_typing(user: User, conversation: Conversation, types: bool) -> None:
    """Show “typing …” for replies only, if the user may answer and allows it to be seen."""
    if not may(user, Capability.ANSWER) or not preferences_of(user).shows_typing:
        return
    if not types:
        typing_sign.stop(conversation)
    elif (session_id := queries.usable_route(conversation)) is not None:
        typing_sign.show(conversation, session_id)


@require_GET
def who_is_there(request: HttpRequest) -> JsonResponse:
    """Who looks at the rows that a page shows: conversation id → members. `?ids=1,2,3`."""
    require(request.user, Capability.READ_CONVERSATIONS)
    words = request.GET.get("ids", "")[:4_000].split(",")[:MOST_ROWS]
    wanted = [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 19]
    mine = conversations_of(request.user).filter(pk__in=wanted)
    there = presence.present_in(mine)
    return JsonResponse({str(pk): [_person(one) for one in found] for pk, found in there.items()})


@require_GET
def people(request: HttpRequest, pk: int) -> JsonResponse:
    """Members who can be mentioned in a note of this conversation."""
    require(request.user, Capability.ANSWER)
    conversation = conversation_or_404(request.user, pk)
    found = notes.readers_of(conversation.team)
    names = [{"username": one.username, "name": one.display_name} for one in found]
    return JsonResponse({"people": names})


@require_POST
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo or edit: a message that was not sent yet returns to the composer."""
    require(request.user, Capability.ANSWER)
    message = message_or_404(request.user, pk)
    return _into_composer(
        request,
        message.conversation,
        lambda user: sending.take_back(message=message, user=user),
    )


def _into_composer(
    request: HttpRequest, conversation: Conversation, act: Callable[[User], TakenBack]
) -> HttpResponse:
    try:
        back = act(actor(request))
    except ReplyError as problem:
        return _said(request, conversation, problem)
    if is_htmx(request):
        row = back.draft
        draft = Draft(row.key, row.text, row.number, account=row.account_id)
        return news(request, draft=draft, tray=tray_of(row))
    return redirect("inbox:conversation", conversation.pk)


def _said(request: HttpRequest, conversation: Conversation, problem: ReplyError) -> HttpResponse:
    """Show that somebody else decided already. Without JavaScript the reloaded page shows it."""
    if is_htmx(request):
        context = {"sentence": problem.message}
        return render(request, "conversation/_decision_refused.html", context, status=UNPROCESSABLE)
    return redirect("inbox:conversation", conversation.pk)


def _decide(
    request: HttpRequest, conversation: Conversation, act: Callable[[User], object]
) -> HttpResponse:
    try:
        act(actor(request))
    except ReplyError as problem:
        return _said(request, conversation, problem)
    return news(request) if is_htmx(request) else redirect("inbox:conversation", conversation.pk)


@require_POST
def park_message(request: HttpRequest, pk: int) -> HttpResponse:
    """Park a failed reply until the contact writes."""
    require(request.user, Capability.ANSWER)
    message: Message = message_or_404(request.user, pk)
    return _decide(
        request,
        message.conversation,
        lambda user: parking.park_message(message=message, user=user, limits=team_settings()),
    )


@require_POST
def send_now(request: HttpRequest, pk: int) -> HttpResponse:
    """Send in spite of WeChat's pace."""
    require(request.user, Capability.ANSWER)
    message: Message = message_or_404(request.user, pk)
    return _decide(
        request,
        message.conversation,
        lambda user: sending.send_now(message=message, user=user),
    )


def _parked(request: HttpRequest, pk: int) -> ParkedReply:
    require(request.user, Capability.ANSWER)
    if pk > 2**62:
        raise Http404
    mine = conversations_of(request.user)
    rows = ParkedReply.objects.filter(conversation__in=mine).select_related(
        "conversation__contact", "conversation__team_contact"
    )
    return get_object_or_404(rows, pk=pk)


@require_POST
def send_parked(request: HttpRequest, pk: int) -> HttpResponse:
    """The user who clicks has reviewed the reply, so it is sent in their name."""
    parked = _parked(request, pk)
    override = bool(request.POST.get("override"))
    return _decide(
        request,
        parked.conversation,
        lambda user: parking.send_parked(
            parked=parked,
            user=user,
            seen_up_to=None,
            override=override,
            limits=team_settings(),
            expected_id=account_named(request, "expected"),
        ),
    )


@require_POST
def edit_parked(request: HttpRequest, pk: int) -> HttpResponse:
    parked = _parked(request, pk)
    return _into_composer(
        request, parked.conversation, lambda user: parking.edit_parked(parked=parked, user=user)
    )


@require_POST
def discard_parked(request: HttpRequest, pk: int) -> HttpResponse:
    parked = _parked(request, pk)
    return _decide(
        request,
        parked.conversation,
        lambda user: parking.discard_parked(parked=parked, user=user),
    )
