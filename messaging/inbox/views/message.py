"""Views for messages: reply, and decide about replies that were not sent."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from messaging.conversations.access import conversation_or_404, message_or_404
from messaging.conversations.errors import AnsweredMeanwhile, DraftAlreadyUsed, ReplyError
from messaging.inbox.presentation import PARKABLE, Closed
from messaging.inbox.views.answering import account_named
from messaging.inbox.views.compose_pane import Draft, fresh_draft, new_draft
from messaging.inbox.views.panes import conversation_context, news
from messaging.inbox.views.rows import list_context
from messaging.inbox.views.saying import resolved_words, with_words
from messaging.models import Conversation, DraftKind, Message, WorkAction
from messaging.reply_window.reply_route import OVERRIDABLE
from messaging.replying import notes, parking, services
from messaging.replying.finishing import Also, send_and
from messaging.replying.sending import Wish
from messaging.transfers import uploads
from messaging.transfers.replies import Wanted
from sessions_app.models import User
from sessions_app.pages.answers import is_htmx
from sessions_app.people.preferences import preferences_of
from sessions_app.people.roles import Capability
from sessions_app.realtime.page_numbers import pin_numbers
from sessions_app.sessions.access import require
from sessions_app.team_settings.limits import team_settings

UNPROCESSABLE = 422


def actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def files_of(request: HttpRequest) -> tuple[Wanted, ...]:
    """The draft's files in order; without JavaScript, also those posted with the form.

    Raises FileProblem.
    """
    owner, files = actor(request), request.FILES.getlist("files")
    ids = request.POST.getlist("upload")
    ids += [uploads.bring(owner=owner, file=file).pk for file in files]
    return tuple(Wanted(one) for one in ids)


@require_POST
def reply(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a reply, save a note, or park. The draft's key makes a double click one message.

    `next_key`: key of the draft that the page has started meanwhile. `also`: see `Also`.
    """
    require(request.user, Capability.ANSWER)
    conversation = conversation_or_404(request.user, pk)
    kind = DraftKind.NOTE if request.POST.get("kind") == DraftKind.NOTE else DraftKind.REPLY
    try:
        action = _take(request, conversation, kind)
    except ReplyError as problem:
        return _refused(request, conversation, problem)
    if is_htmx(request):
        page = news(request, draft=fresh_draft(request.user, conversation, kind))
        return with_words(page, resolved_words(1), action) if action else page
    return redirect("inbox:conversation", conversation.pk)


def _take(request: HttpRequest, conversation: Conversation, kind: str) -> WorkAction | None:
    """Return the action that can be undone, apart from the message itself."""
    user, form, limits = actor(request), request.POST, team_settings()
    text, key, next_key = form.get("text", ""), posted_key(request, "draft_key"), _next_key(request)
    if kind == DraftKind.NOTE:
        _no_files(request, "file_in_note")
        notes.write_note(
            user=user, conversation=conversation, text=text, draft_key=key, next_key=next_key
        )
    elif form.get("park"):
        _no_files(request, "file_parked")
        parking.park(
            user=user,
            conversation=conversation,
            text=text,
            draft_key=key,
            limits=limits,
            next_key=next_key,
        )
    else:
        also = {Also(one) for one in form.getlist("also") if one in set(Also)}
        wish = _wish(request)
        return send_and(
            user=user, conversation=conversation, wish=wish, limits=limits, also=also
        ).action
    return None


def posted_key(request: HttpRequest, name: str) -> str:
    return str(request.POST.get(name, ""))[:64].replace("\0", "")


def _next_key(request: HttpRequest) -> str:
    """The next draft's key; ignored if it is the key that this post uses."""
    key = posted_key(request, "next_key")
    return key if key != posted_key(request, "draft_key") else ""


def _no_files(request: HttpRequest, code: str) -> None:
    """Raises FileProblem if files were posted, so that they are not dropped unnoticed."""
    if _has_files(request):
        raise uploads.problem(code)


def _has_files(request: HttpRequest) -> bool:
    return bool(request.POST.getlist("upload") or request.FILES.getlist("files"))


def _wish(request: HttpRequest) -> Wish:
    """Raises FileProblem."""
    form = request.POST
    seen = form.get("seen_up_to", "")
    insists = bool(form.get("insist")) or not (seen.isascii() and seen.isdigit())
    return Wish(
        text=form.get("text", ""),
        draft_key=posted_key(request, "draft_key"),
        next_key=_next_key(request),
        session_name=_named(request),
        expected_id=account_named(request, "expected"),
        override=bool(form.get("override") or form.get("override_as")),
        split=bool(form.get("split")),
        seen_up_to=None if insists or len(seen) > 18 else int(seen),
        hold_s=preferences_of(request.user).undo_s,
        files=files_of(request),
    )


def _named(request: HttpRequest) -> str | None:
    return request.POST.get("override_as") or request.POST.get("session_name") or None


def _refused(request: HttpRequest, conversation: Conversation, problem: ReplyError) -> HttpResponse:
    """Show the error in the form; the text stays there."""
    used = isinstance(problem, DraftAlreadyUsed)
    draft = new_draft() if used else Draft(posted_key(request, "draft_key"))
    refusal = Closed(
        problem.message,
        problem.offer,
        problem.code in OVERRIDABLE,
        park=problem.code in PARKABLE and not _has_files(request),
        insist=isinstance(problem, AnsweredMeanwhile),
        seen_up_to=problem.answer_id if isinstance(problem, AnsweredMeanwhile) else None,
    )
    context = {"closed": refusal, "named": _named(request), "draft": draft}
    if is_htmx(request):
        return render(request, "composer/_refusal.html", context, status=UNPROCESSABLE)
    pin_numbers(request)
    context = {
        **list_context(request),
        **conversation_context(request, conversation),
        "refusal": refusal,
        "named": context["named"],
        "draft": Draft(draft.key, request.POST.get("text", "")),
    }
    return render(request, "inbox/inbox.html", context, status=UNPROCESSABLE)


def _decide(request: HttpRequest, pk: int, act: Callable[[Message, User], None]) -> HttpResponse:
    """Run a decision. If somebody has decided already, just show the current state."""
    require(request.user, Capability.ANSWER)
    message = message_or_404(request.user, pk)
    try:
        act(message, actor(request))
    except ReplyError as problem:
        if is_htmx(request):
            context = {"sentence": problem.message}
            return render(
                request, "conversation/_decision_refused.html", context, status=UNPROCESSABLE
            )
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
