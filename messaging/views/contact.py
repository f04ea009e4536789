"""The person of a conversation: named in place, and read."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from messaging import services
from messaging.access import conversation_or_404
from messaging.forms import NameForm
from messaging.views.message import UNPROCESSABLE, actor
from messaging.views.panes import is_htmx, news
from sessions_app.access import require
from sessions_app.people.roles import Capability

SLOTS = ("head", "context")


@require_http_methods(["GET", "POST"])
def name(request: HttpRequest, pk: int) -> HttpResponse:
    """The form in the name's place; with `?cancel` the name again."""
    require(request.user, Capability.ANSWER)
    conversation = conversation_or_404(request.user, pk)
    slot = request.GET.get("slot", "")
    context = {
        "conversation": conversation,
        "contact": conversation.contact,
        "slot": slot if slot in SLOTS else "head",
        "room": "inbox",
    }
    if "cancel" in request.GET:
        return render(request, "inbox/_name.html", context)
    form = NameForm(request.POST or None, initial={"name": conversation.contact.name})
    if form.is_valid():
        services.rename_contact(
            contact=conversation.contact, name=form.cleaned_data["name"], user=actor(request)
        )
        return news(request) if is_htmx(request) else redirect("inbox:conversation", pk)
    status = UNPROCESSABLE if form.is_bound else 200
    context["form"] = form
    if is_htmx(request):
        return render(request, "inbox/_name_form.html", context, status=status)
    context.update(fragment="inbox/_name_form.html", title=_("Rename"))
    return render(request, "parts/card_page.html", context, status=status)


@require_POST
def read(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything up to this message was seen by somebody who may answer."""
    require(request.user, Capability.ANSWER)
    conversation = conversation_or_404(request.user, pk)
    up_to = request.POST.get("up_to", "")
    if up_to.isascii() and up_to.isdigit() and len(up_to) < 19:
        services.mark_read(conversation=conversation, up_to=int(up_to), user=actor(request))
    return HttpResponse(status=204)
