"""`/uploads` and `/attachments`: upload files to send within a day, and download files."""

from typing import Annotated

from django.http import Http404
from django.http.response import HttpResponseBase
from ninja import File, Path, Router, Status, UploadedFile

from messaging.api.auth import ApiRequest, allowed
from messaging.api.errors import ERRORS, ApiError
from messaging.api.paging import id_or_none
from messaging.api.schemas import UploadOut
from messaging.conversations.access import attachment_or_404
from messaging.inbox.views.media import file_of
from messaging.media import serving
from messaging.transfers import uploads
from sessions_app.people.roles import Capability
from sessions_app.people.tokens import Scope

router = Router(tags=["files"])

AttachmentId = Annotated[str, Path(pattern="^[0-9]{1,19}$")]


@router.post("/uploads", response={201: UploadOut, **ERRORS}, summary="Bring a file to be sent")
def upload(request: ApiRequest, file: File[UploadedFile | None] = None) -> Status[UploadOut]:
    """multipart/form-data with one part `file`; good for one day and for one message.

    `kind`: how the file will be sent. Sound is sent as `file`: WeChat does not show voice
    messages from bots.
    """
    user = allowed(request, Scope.SEND, Capability.ANSWER)
    if file is None:  # checked after the role, so that strangers learn nothing about the form
        raise ApiError(422, "invalid", "file: this part is missing.", field="file")
    brought = uploads.bring(owner=user, file=file)
    return Status(201, UploadOut(id=brought.pk, size=brought.size or 0, kind=brought.kind))


@router.get(
    "/attachments/{attachment_id}/content",
    response=ERRORS,
    summary="The bytes of an attachment",
)
def content(request: ApiRequest, attachment_id: AttachmentId) -> HttpResponseBase:
    """Decrypted, with ranges; 404 while its `state` is not `stored`.

    The content type is read from the bytes. Everything but pictures, sound and video that
    browsers show is `application/octet-stream`.
    """
    user = allowed(request, Scope.READ)
    number = id_or_none(attachment_id)
    if number is None:
        raise Http404
    return serving.respond(request, file_of(attachment_or_404(user, number)))
