"""Files and long texts of messages, for those who may see the conversation; files of drafts."""

from urllib.parse import unquote

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from messaging.composing import draft_files
from messaging.conversations.access import (
    attachment_or_404,
    conversation_or_404,
    messages_of,
)
from messaging.conversations.errors import FileProblem
from messaging.inbox.views.answering import account_named
from messaging.inbox.views.compose_pane import tray_values
from messaging.inbox.views.message import UNPROCESSABLE, actor
from messaging.inbox.views.panes import news
from messaging.media import names, reasons, serving, showing
from messaging.media.serving import Served
from messaging.models import Attachment, Conversation, Draft, Upload
from messaging.replying.queries import text_pieces
from messaging.transfers import downloads, uploads
from sessions_app.pages.answers import is_htmx
from sessions_app.pages.pieces import in_pieces
from sessions_app.people.roles import Capability
from sessions_app.realtime.streams import wake_workers
from sessions_app.sessions.access import require

THUMB_TYPE, SOUND_TYPE = "image/webp", "audio/wav"
_TEXT_HEADERS = {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}


def file_of(attachment: Attachment, *, download: bool = False) -> Served:
    """The file under its own name. Raises Http404 if it is not stored."""
    if not attachment.stored_name:
        raise Http404
    return Served(
        stored_name=attachment.stored_name,
        content_type=attachment.content_type,
        file_name=own_name(attachment),
        inline=showing.may_show(attachment) and not download,
    )


_ENDINGS = {
    "image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp",
    "image/bmp": ".bmp", "video/mp4": ".mp4", "video/webm": ".webm", "video/quicktime": ".mov",
    "audio/x-silk": ".silk", "audio/amr": ".amr", "audio/mpeg": ".mp3", "audio/wav": ".wav",
    "audio/ogg": ".ogg", "audio/mp4": ".m4a", "audio/aac": ".aac", "audio/flac": ".flac",
}  # fmt: skip


def own_name(attachment: Attachment) -> str:
    """The name as sent; a file without one is named by its kind and type."""
    made = f"{attachment.kind}-{attachment.pk}{_ENDINGS.get(attachment.content_type, '')}"
    return names.download_name(attachment.file_name, made) if attachment.file_name else made


@require_safe
def content(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The file. With `?download` it is always downloaded, never shown."""
    attachment = attachment_or_404(request.user, pk)
    return serving.respond(request, file_of(attachment, download="download" in request.GET))


@require_safe
def text(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """As plain text, in pieces: the process never holds the whole of it."""
    require(request.user, Capability.READ_CONVERSATIONS)
    if not messages_of(request.user).filter(pk=pk).exists():
        raise Http404
    body = in_pieces(request, (piece.encode() for piece in text_pieces(pk)))
    return StreamingHttpResponse(body, headers=_TEXT_HEADERS)


@require_safe
def thumb(request: HttpRequest, pk: int) -> HttpResponseBase:
    attachment = attachment_or_404(request.user, pk)
    return _made_here(request, attachment.thumb_name, THUMB_TYPE, f"thumbnail-{pk}.webp")


@require_safe
def sound(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A voice in a format that browsers play."""
    attachment = attachment_or_404(request.user, pk)
    return _made_here(request, attachment.sound_name, SOUND_TYPE, f"voice-{pk}.wav")


def _made_here(
    request: HttpRequest, stored_name: str, content_type: str, file_name: str
) -> HttpResponseBase:
    if not stored_name:
        raise Http404
    return serving.respond(request, Served(stored_name, content_type, file_name, inline=True))


@require_POST
def fetch_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Download a failed file again. It is no error if somebody has asked already."""
    require(request.user, Capability.ANSWER)
    attachment = attachment_or_404(request.user, pk)
    if downloads.ask_again(attachment):
        wake_workers()
    if is_htmx(request):
        return news(request)
    return redirect("inbox:conversation", attachment.message.conversation_id)


@require_POST
def upload(request: HttpRequest) -> JsonResponse:
    """Upload one file, stored until it is sent. Errors are sentences for the user.

    `conversation`: adds the file to the user's draft there, at `place`; `key`: the draft's key.
    `id`: made by the page, so that a repeated upload is stored once.
    """
    require(request.user, Capability.ANSWER)
    conversation = _drafted_in(request)
    file = request.FILES.get("file")
    if file is None:
        return JsonResponse({"error": reasons.sentence("empty_file")}, status=UNPROCESSABLE)
    # The name is percent-encoded, since forms change line ends and quotes in part names.
    name, wanted = unquote(request.POST.get("name", "")), request.POST.get("id", "")
    try:
        brought = uploads.bring(owner=actor(request), file=file, file_name=name, wanted=wanted)
        number = _into_draft(request, conversation, brought) if conversation else 0
    except FileProblem as problem:
        return JsonResponse({"error": problem.message}, status=UNPROCESSABLE)
    return JsonResponse({**tray_values(brought), "number": number}, status=201)


def _into_draft(request: HttpRequest, conversation: Conversation, brought: Upload) -> int:
    """Add the file and return the change's number; if it is refused, delete it and raise
    FileProblem."""
    try:
        return _add(request, conversation, brought).files_number
    except FileProblem:
        if brought.draft_id is None:
            uploads.discard(brought)
        raise


def _add(request: HttpRequest, conversation: Conversation, brought: Upload) -> Draft:
    return draft_files.add(
        user=actor(request),
        conversation=conversation,
        upload=brought,
        key=request.POST.get("key", "")[:64].replace("\0", ""),
        place=account_named(request, "place"),
        account_id=account_named(request, "account"),
    )


def _drafted_in(request: HttpRequest) -> Conversation | None:
    if "conversation" not in request.POST:
        return None
    pk = account_named(request, "conversation")
    if pk is None:
        raise Http404
    return conversation_or_404(request.user, pk)


@require_safe
def upload_thumb(request: HttpRequest, upload_id: str) -> HttpResponseBase:
    """The thumbnail of an upload, for its owner only."""
    require(request.user, Capability.ANSWER)
    row = get_object_or_404(Upload, pk=upload_id, owner=actor(request))
    return _made_here(request, row.thumb_name, THUMB_TYPE, "thumbnail.webp")
