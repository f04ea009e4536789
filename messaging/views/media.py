"""Files of messages: served to whoever may see the conversation, fetched again on demand."""

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from messaging.access import attachment_or_404
from messaging.media import names, serving, shelf, showing
from messaging.media.serving import Served
from messaging.models import Attachment
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
