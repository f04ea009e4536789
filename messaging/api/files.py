"""`/uploads` and `/attachments`: the calls are here, the bytes come with a later version."""

from typing import Annotated

from django.http import Http404, HttpResponse
from ninja import Path, Router

from messaging.access import attachment_or_404
from messaging.api.auth import ApiRequest, allowed
from messaging.api.errors import ERRORS, NotAvailable
from messaging.api.paging import id_or_none
from sessions_app.people.roles import Capability
from sessions_app.people.tokens import Scope

router = Router(tags=["files"])

AttachmentId = Annotated[str, Path(pattern="^[0-9]{1,19}$")]


@router.post("/uploads", response=ERRORS, summary="Upload a file (not in this version)")
def upload(request: ApiRequest) -> HttpResponse:
    """501: it comes later."""
    allowed(request, Scope.SEND, Capability.ANSWER)
    raise NotAvailable("Uploading files")


@router.get(
    "/attachments/{attachment_id}/content",
    response=ERRORS,
    summary="The bytes of an attachment (not in this version)",
)
def content(request: ApiRequest, attachment_id: AttachmentId) -> HttpResponse:
    """501 for what exists: the bytes are not fetched yet."""
    user = allowed(request, Scope.READ)
    number = id_or_none(attachment_id)
    if number is None:
        raise Http404
    attachment_or_404(user, number)
    raise NotAvailable("Fetching files")
