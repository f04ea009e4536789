"""Where the conversations go of somebody who leaves.

`/people/<pk>/disable/` is here and not in the room of the other pages of `/people/`, because that
room knows no conversations.
"""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from messaging.conversations import leavers
from messaging.conversations.leavers import HandedOver
from messaging.inbox.views.message import UNPROCESSABLE, actor
from sessions_app.models import User
from sessions_app.pages.answers import card, is_htmx
from sessions_app.people.directory import services
from sessions_app.people.directory.access import for_administrators, person_or_404
from sessions_app.people.directory.errors import DirectoryError
from sessions_app.people.roles import Capability
from sessions_app.sessions.access import require
from sessions_app.text.unseen import apart


@require_http_methods(["GET", "POST"])
@for_administrators
def disable(request: HttpRequest, pk: int) -> HttpResponse:
    """Disable a person. Asks first, also who takes over. `to`: a colleague's key, or ""."""
    person = person_or_404(pk)
    if request.method == "GET":
        return _ask_to_disable(request, person)
    people = leavers.successors_of(person)
    to, is_known = _chosen(request, people)
    if not is_known:
        return _ask_to_disable(request, person, refused=_not_there())
    theirs = list(leavers.at_work_of(person).values_list("pk", flat=True))
    try:
        was_active = services.disable_person(person_id=pk, by=actor(request))
    except DirectoryError as problem:
        return _ask_to_disable(request, person, refused=str(problem.words), to=to)
    name = {"name": apart(person.display_name)}
    if was_active:
        # The login has ended before, so that nobody is assigned what they cannot see.
        done = leavers.hand_over(member=person, ids=theirs, to=to, user=actor(request))
        words = [_("%(name)s is disabled.") % name, *_words_for(done, to)]
        messages.success(request, " ".join(words), extra_tags="ok")
    else:
        words = [_("Somebody else has disabled %(name)s already.") % name]
        messages.warning(request, words[0], extra_tags="warn")
    here = reverse("people:person", args=[pk])
    return HttpResponse(headers={"HX-Redirect": here}) if is_htmx(request) else redirect(here)


def _ask_to_disable(
    request: HttpRequest, person: User, *, refused: str = "", to: User | None = None
) -> HttpResponse:
    context = {
        "room": "people",
        "person": person,
        "refused": refused,
        "title": _("Disable"),
        "way_back": reverse("people:person", args=[person.pk]),
        **_successor_context(person, to),
    }
    status = UNPROCESSABLE if refused else 200
    return card(request, "people/disable.html", context, status=status)


@require_http_methods(["GET", "POST"])
def leave(request: HttpRequest) -> HttpResponse:
    """Hand the user's own conversations over. The login stays: an administrator ends it."""
    require(request.user, Capability.ANSWER)
    me = actor(request)
    refused = ""
    if request.method == "POST":
        to, is_known = _chosen(request, leavers.successors_of(me))
        if is_known:
            done = leavers.hand_over(member=me, ids=[], to=to, user=me)
            words = _words_for(done, to) or [_("You have no open conversation.")]
            messages.success(request, " ".join(words), extra_tags="ok")
            return redirect("account:account")
        refused = _not_there()
    context = {"room": "account", "refused": refused, **_successor_context(me, None)}
    status = UNPROCESSABLE if refused else 200
    return render(request, "account/leaving.html", context, status=status)


def _successor_context(member: User, to: User | None) -> dict[str, Any]:
    return {
        "count": leavers.at_work_of(member).count(),
        "people": leavers.successors_of(member),
        "to": to,
    }


def _chosen(request: HttpRequest, people: list[User]) -> tuple[User | None, bool]:
    """The colleague; whether the choice is possible at all."""
    wanted = request.POST.get("to", "")
    found = next((one for one in people if str(one.pk) == wanted), None)
    return found, found is not None or not wanted


def _not_there() -> str:
    return _("Choose again: this colleague cannot answer in all teams of the conversations.")


def _words_for(done: HandedOver, to: User | None) -> list[str]:
    words = []
    if to is not None and done.given:
        given = ngettext(
            "%(count)d conversation was assigned to %(name)s.",
            "%(count)d conversations were assigned to %(name)s.",
            done.given,
        )
        words.append(given % {"count": done.given, "name": apart(to.display_name)})
    if done.released:
        released = ngettext(
            "%(count)d conversation is unassigned now.",
            "%(count)d conversations are unassigned now.",
            done.released,
        )
        words.append(released % {"count": done.released})
    return words
