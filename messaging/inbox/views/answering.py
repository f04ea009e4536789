"""The account that a page shows on its Send button, and the notice when it changes."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from messaging.composing import drafts
from messaging.conversations.access import conversation_or_404
from sessions_app.models import User
from sessions_app.people.roles import Capability
from sessions_app.sessions.access import require

MOST_DIGITS = 18


def account_named(request: HttpRequest, field: str) -> int | None:
    """The key of an account in a form; None if the form names none."""
    text = request.POST.get(field, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None


@require_POST
def see_account(request: HttpRequest, pk: int) -> HttpResponse:
    """The notice of a changed account was closed. `account`: the one that the user saw."""
    require(request.user, Capability.ANSWER)
    conversation, account = conversation_or_404(request.user, pk), account_named(request, "account")
    assert isinstance(request.user, User)
    if account is not None:
        drafts.see_account(user=request.user, conversation=conversation, account_id=account)
    return HttpResponse(status=204)
