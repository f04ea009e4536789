"""Removing and ordering the files of the user's own draft."""

import contextlib

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from messaging.composing import draft_files, drafts
from messaging.composing.draft_files import NoSuchFile
from messaging.composing.drafts import DraftChanged, DraftTooLong
from messaging.conversations.access import conversation_or_404
from messaging.inbox.views.message import actor
from messaging.inbox.views.panes import news
from messaging.models import Conversation, DraftKind
from sessions_app.pages.answers import is_htmx
from sessions_app.people.roles import Capability
from sessions_app.sessions.access import require

MOST_FILES = 100


@require_POST
def remove(request: HttpRequest, pk: int, upload_id: str) -> HttpResponse:
    """404 if the user's draft here has no such file.

    Without JavaScript the whole form is posted: its text is saved and the page shown again.
    """
    require(request.user, Capability.ANSWER)
    conversation = conversation_or_404(request.user, pk)
    if "text" in request.POST and not is_htmx(request):
        try:
            _keep_text(request, conversation)
        except DraftTooLong:  # change nothing, so that the browser's Back restores the text
            return HttpResponseBadRequest(_("This text is too long to be saved as a draft."))
    try:
        draft_files.remove(user=actor(request), conversation=conversation, upload_id=upload_id)
    except NoSuchFile as missing:
        raise Http404 from missing
    return _shown(request, pk)


def _keep_text(request: HttpRequest, conversation: Conversation) -> None:
    """Save the text, unless it was sent meanwhile."""
    form, user = request.POST, actor(request)
    kind = DraftKind.NOTE if form.get("kind") == DraftKind.NOTE else DraftKind.REPLY
    with contextlib.suppress(DraftChanged):
        drafts.save_draft(
            user=user,
            conversation=conversation,
            kind=kind,
            text=form["text"].replace("\r\n", "\n").replace("\0", ""),
            key=form.get("draft_key", "")[:64].replace("\0", ""),
            number=drafts.draft_of(user, conversation, kind).number,
        )


@require_POST
def order(request: HttpRequest, pk: int) -> HttpResponse:
    """`upload`: ids of the files in the page's order; other users' ids are ignored."""
    require(request.user, Capability.ANSWER)
    conversation = conversation_or_404(request.user, pk)
    ids = request.POST.getlist("upload")[:MOST_FILES]
    draft_files.put_in_order(user=actor(request), conversation=conversation, ids=ids)
    return _shown(request, pk)


def _shown(request: HttpRequest, pk: int) -> HttpResponse:
    return news(request) if is_htmx(request) else redirect("inbox:conversation", pk)
