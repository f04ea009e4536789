"""Files: of messages, served to whoever may see the conversation; and those of a draft."""

from typing import Any
from urllib.parse import unquote

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from messaging.access import attachment_or_404
from messaging.errors import FileProblem
from messaging.media import names, reasons, serving, shelf, showing, uploads
from messaging.media.serving import Served
from messaging.models import Attachment, Upload
from messaging.views.message import UNPROCESSABLE, actor
from messaging.views.panes import is_htmx, news
from sessions_app.access import require
from sessions_app.people.roles import Capability
from sessions_app.realtime import wake_workers

THUMB_TYPE, SOUND_TYPE = "image/webp", "audio/wav"


def file_of(attachment: Attachment, *, download: bool = False) -> Served:
    """The file itself, under its own name. Raises Http404 while there is none."""
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
    """As it was sent; what came without a name gets one by its kind and true type."""
    made = f"{attachment.kind}-{attachment.pk}{_ENDINGS.get(attachment.content_type, '')}"
    return names.download_name(attachment.file_name, made) if attachment.file_name else made


@require_safe
def content(request: HttpRequest, pk: int) -> HttpResponseBase:
    """With `?download` never shown, whatever it is."""
    attachment = attachment_or_404(request.user, pk)
    return serving.respond(request, file_of(attachment, download="download" in request.GET))


@require_safe
def thumb(request: HttpRequest, pk: int) -> HttpResponseBase:
    attachment = attachment_or_404(request.user, pk)
    return _made_here(request, attachment.thumb_name, THUMB_TYPE, f"thumbnail-{pk}.webp")


@require_safe
def sound(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A voice as browsers play it."""
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
    """What failed is fetched once more; what somebody asked for meanwhile is no error."""
    require(request.user, Capability.ANSWER)
    attachment = attachment_or_404(request.user, pk)
    if shelf.ask_again(attachment):
        wake_workers()
    if is_htmx(request):
        return news(request)
    return redirect("inbox:conversation", attachment.message.conversation_id)


@require_POST
def upload(request: HttpRequest) -> JsonResponse:
    """One file of a draft, kept until it is sent; in words what is wrong with it."""
    require(request.user, Capability.ANSWER)
    file = request.FILES.get("file")
    if file is None:
        return JsonResponse({"error": reasons.sentence("empty_file")}, status=UNPROCESSABLE)
    try:
        # Percent-encoded: a form changes line ends, and quotes in the name of a part.
        name = unquote(request.POST.get("name", ""))
        brought = uploads.bring(owner=actor(request), file=file, file_name=name)
    except FileProblem as problem:
        return JsonResponse({"error": problem.message}, status=UNPROCESSABLE)
    return JsonResponse(tray_values(brought), status=201)


def tray_values(brought: Upload) -> dict[str, Any]:
    """What the composer's tray shows of a file."""
    return {
        "id": brought.pk,
        "name": brought.file_name,
        "kind": brought.kind,
        "size": brought.size,
        "thumb": reverse("inbox:upload_thumb", args=[brought.pk]) if brought.thumb_name else "",
        "note": showing.note_of(brought),
    }


@require_POST
def discard_upload(request: HttpRequest, upload_id: str) -> HttpResponse:
    require(request.user, Capability.ANSWER)
    uploads.discard(owner=actor(request), upload_id=upload_id)
    return HttpResponse(status=204)


@require_safe
def upload_thumb(request: HttpRequest, upload_id: str) -> HttpResponseBase:
    """For its owner alone."""
    require(request.user, Capability.ANSWER)
    row = get_object_or_404(Upload, pk=upload_id, owner=actor(request))
    return _made_here(request, row.thumb_name, THUMB_TYPE, "thumbnail.webp")
