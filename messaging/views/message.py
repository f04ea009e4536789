"""What an agent does with messages: reply, and decide about those that did not go through."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from messaging import services
from messaging.access import conversation_or_404, message_or_404
from messaging.errors import DraftAlreadyUsed, ReplyError
from messaging.media import replies, uploads
from messaging.media.replies import Wanted
from messaging.models import Conversation, Message
from messaging.presentation import Closed
from messaging.reply_route import OVERRIDABLE
from messaging.views.panes import (
    Draft,
    is_htmx,
    list_context,
    new_draft,
    news,
    thread_context,
)
from sessions_app.access import require
from sessions_app.live import pin_numbers
from sessions_app.models import User
from sessions_app.people.roles import Capability

UNPROCESSABLE = 422


def actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def files_of(request: HttpRequest) -> list[Wanted]:
    """What the draft brought before, in its order; without JavaScript the files come along.

    Raises FileProblem.
    """
    owner, files = actor(request), request.FILES.getlist("files")
    ids = request.POST.getlist("upload")
    ids += [uploads.bring(owner=owner, file=file).pk for file in files]
    return [Wanted(one) for one in ids]


@require_POST
def reply(request: HttpRequest, pk: int) -> HttpResponse:
    """The draft's key makes a double click or a reload one message."""
    require(request.user, Capability.ANSWER)
    conversation = conversation_or_404(request.user, pk)
    named = request.POST.get("override_as") or request.POST.get("session_name") or None
    wish: dict[str, Any] = {
        "user": actor(request),
        "conversation": conversation,
        "text": request.POST.get("text", ""),
        "draft_key": request.POST.get("draft_key", "")[:64],
        "session_name": named,
        "override": bool(request.POST.get("override") or request.POST.get("override_as")),
    }
    try:
        if files := files_of(request):
            replies.send_with_files(**wish, files=files)
        else:
            services.send_reply(**wish)
    except ReplyError as problem:
        return _refused(request, conversation, problem, named)
    if is_htmx(request):
        return news(request, draft=new_draft())
    return redirect("inbox:conversation", conversation.pk)


def _refused(
    request: HttpRequest, conversation: Conversation, problem: ReplyError, named: str | None
) -> HttpResponse:
    """The words in the form; the text stays where it is."""
    used = isinstance(problem, DraftAlreadyUsed)
    draft = new_draft() if used else Draft(request.POST.get("draft_key", "")[:64])
    refusal = Closed(problem.message, problem.offer, problem.code in OVERRIDABLE)
    context = {"closed": refusal, "named": named, "draft": draft}
    if is_htmx(request):
        return render(request, "inbox/_refusal.html", context, status=UNPROCESSABLE)
    pin_numbers(request)
    context = {
        **list_context(request),
        **thread_context(request, conversation),
        "refusal": refusal,
        "named": named,
        "draft": Draft(draft.key, request.POST.get("text", "")),
    }
    return render(request, "inbox/inbox.html", context, status=UNPROCESSABLE)


def _decide(request: HttpRequest, pk: int, act: Callable[[Message, User], None]) -> HttpResponse:
    """What somebody decided meanwhile is no error: the answer shows how it stands."""
    require(request.user, Capability.ANSWER)
    message = message_or_404(request.user, pk)
    try:
        act(message, actor(request))
    except ReplyError as problem:
        if is_htmx(request):
            context = {"sentence": problem.message}
            return render(request, "inbox/_decision_refused.html", context, status=UNPROCESSABLE)
    if is_htmx(request):
        return news(request)
    return redirect("inbox:conversation", message.conversation_id)


@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    return _decide(
        request, pk, lambda message, user: services.retry_message(message=message, user=user)
    )


@require_POST
def send_anyway(request: HttpRequest, pk: int) -> HttpResponse:
    return _decide(
        request, pk, lambda message, user: services.send_anyway(message=message, user=user)
    )


@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    return _decide(
        request, pk, lambda message, user: services.discard_message(message=message, user=user)
    )


@require_POST
def arrived(request: HttpRequest, pk: int) -> HttpResponse:
    return _decide(
        request, pk, lambda message, user: services.mark_arrived(message=message, user=user)
    )


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    return _decide(
        request, pk, lambda message, user: services.cancel_message(message=message, user=user)
    )
