"""A conversation's contact: name, note, and what was read."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from messaging.conversations.access import conversation_or_404
from messaging.inbox.forms import ContactNoteForm, NameForm
from messaging.inbox.views.message import UNPROCESSABLE, actor
from messaging.inbox.views.panes import news
from messaging.replying import services
from sessions_app.pages.answers import is_htmx
from sessions_app.people.roles import Capability
from sessions_app.sessions.access import require
from sessions_app.text.unseen import apart

SLOTS = ("head", "context")


@require_http_methods(["GET", "POST"])
def name(request: HttpRequest, pk: int) -> HttpResponse:
    """The form to edit the name in place; with `?cancel` the name."""
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
        if not is_htmx(request):
            return redirect("inbox:conversation", pk)
        return render(request, "contact/_name.html", context)
    form = NameForm(request.POST or None, initial={"name": conversation.contact_words.name})
    if form.is_valid():
        services.rename_contact(
            contact=conversation.contact,
            team_id=conversation.team_id,
            name=form.cleaned_data["name"],
            user=actor(request),
        )
        return news(request) if is_htmx(request) else redirect("inbox:conversation", pk)
    status = UNPROCESSABLE if form.is_bound else 200
    context["form"] = form
    if is_htmx(request):
        return render(request, "contact/_name_form.html", context, status=status)
    context.update(fragment="contact/_name_form.html", title=_("Rename"))
    return render(request, "parts/card_page.html", context, status=status)


@require_http_methods(["GET", "POST"])
def note(request: HttpRequest, pk: int) -> HttpResponse:
    """The form to edit the note in place; with `?cancel` the note."""
    require(request.user, Capability.ANSWER)
    conversation = conversation_or_404(request.user, pk)
    context: dict[str, Any] = {
        "conversation": conversation,
        "contact_note": conversation.contact_words.note,
        "room": "inbox",
    }
    if "cancel" in request.GET:
        return render(request, "contact/_note.html", context)
    form = ContactNoteForm(request.POST or None, initial={"note": context["contact_note"]})
    if form.is_valid():
        kept = services.write_contact_note(
            contact=conversation.contact,
            team_id=conversation.team_id,
            user=actor(request),
            **form.cleaned_data,
        )
        if kept and not is_htmx(request):
            return redirect("inbox:conversation", pk)
        context["contact_note"] = conversation_or_404(request.user, pk).contact_words.note
        if kept:
            return render(request, "contact/_note.html", context)
        form.add_error("note", _changed_meanwhile(context["contact_note"]))
    context["form"] = form
    status = UNPROCESSABLE if form.is_bound else 200
    if is_htmx(request):
        return render(request, "contact/_note_form.html", context, status=status)
    title = _("Note about %(name)s") % {"name": apart(conversation.contact_name)}
    context.update(fragment="contact/_note_form.html", title=title)
    return render(request, "parts/card_page.html", context, status=status)


def _changed_meanwhile(note: str) -> str:
    if not note:
        return _("A colleague deleted this note meanwhile. Save again to keep yours.")
    words = _(
        "A colleague changed this note meanwhile. It says: “%(note)s”. Save again to replace it."
    )
    return words % {"note": note}


@require_POST
def read(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark messages as read up to this one. Only those who may answer mark them."""
    require(request.user, Capability.ANSWER)
    conversation = conversation_or_404(request.user, pk)
    up_to = request.POST.get("up_to", "")
    if up_to.isascii() and up_to.isdigit() and len(up_to) < 19:
        services.mark_read(conversation=conversation, up_to=int(up_to), user=actor(request))
    return HttpResponse(status=204)
