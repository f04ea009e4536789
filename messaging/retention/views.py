"""A person's data as a whole, for administrators: download all of it, or forget the person."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from messaging.conversations.access import conversation_or_404
from messaging.models import Attachment, Conversation, Message
from messaging.retention import forgetting
from messaging.retention.export import archive, note_export
from sessions_app.database.encryption import DecryptionError
from sessions_app.pages.answers import UNPROCESSABLE, is_htmx
from sessions_app.pages.pieces import in_pieces
from sessions_app.people.roles import Capability
from sessions_app.sessions.access import require
from sessions_app.text.unseen import apart

STEPS_AT_ONCE = 10
"""Steps through the messages while the page waits; the worker does the others."""


@require_safe
def export(request: HttpRequest, pk: int) -> HttpResponseBase:
    """All that is kept about the person, as a zip archive. Nothing of it is stored for that."""
    require(request.user, Capability.ADMINISTER)
    contact = conversation_or_404(request.user, pk).contact
    note_export(contact.user_id)
    return StreamingHttpResponse(
        in_pieces(request, archive(contact.user_id)),
        headers={
            "Content-Type": "application/zip",
            "Content-Disposition": f'attachment; filename="person-{contact.number:04d}.zip"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


@require_http_methods(["GET", "POST"])
def forget(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks twice: what will be deleted, then (`sure=1`) whether really. `sure=2` forgets."""
    require(request.user, Capability.ADMINISTER)
    conversation = conversation_or_404(request.user, pk)
    if request.POST.get("sure") != "2":
        return _ask(request, conversation, is_second=request.POST.get("sure") == "1")
    try:
        report = forgetting.forget(conversation.contact.user_id, most_steps=STEPS_AT_ONCE)
    except forgetting.SendingNow:
        problem = _("A reply to this person is being sent. Try again in some seconds.")
    except forgetting.UnknownPerson:  # a colleague was faster
        return _done(request, _("This person is forgotten already."))
    except DecryptionError:
        problem = _(
            "Not possible: WEILINK_CREDENTIAL_KEYS lacks the key that was in use when somebody was "
            "last forgotten. Whoever runs the server has to add it."
        )
    else:
        return _done(request, _words(report))
    return _ask(request, conversation, is_second=True, problem=problem)


def _ask(
    request: HttpRequest, conversation: Conversation, *, is_second: bool, problem: str = ""
) -> HttpResponse:
    theirs = Conversation.objects.filter(contact=conversation.contact_id)
    said = Message.objects.filter(conversation__in=theirs)
    context: dict[str, Any] = {
        "room": "inbox",
        "title": _("Forget this person"),
        "fragment": "contact/forget.html",
        "conversation": conversation,
        "is_second": is_second,
        "problem": problem,
        "teams": sorted({one.team.name for one in theirs.select_related("team")}),
        "message_count": said.count(),
        "file_count": Attachment.objects.filter(message__in=said).exclude(stored_name="").count(),
    }
    page = "contact/forget.html" if is_htmx(request) else "parts/card_page.html"
    status = UNPROCESSABLE if problem else 200
    return render(request, page, context, status=status)


def _words(report: forgetting.Report) -> str:
    """Without a name: these words are kept until the next page shows them."""
    words = _("The person is forgotten.")
    if not report.is_done:
        words += " " + _("The rest of the messages is being deleted.")
    if report.owned:
        words += " " + _(
            "This person also registered an account here: %(accounts)s. It keeps their WeChat id "
            "until you delete the account."
        ) % {"accounts": ", ".join(apart(one) for one in report.owned)}
    return words


def _done(request: HttpRequest, words: str) -> HttpResponse:
    messages.success(request, words)
    address = reverse("inbox:inbox")
    if is_htmx(request):
        return HttpResponse(headers={"HX-Redirect": address})
    return redirect(address)
