"""What is done with conversations: one, the chosen ones, or all that match the list.

Each action is one address. Asked without its choice (whom, until when, which labels) it answers
with the form that asks for it, for the dialog or as a page; with it, with what came of it.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from messaging import list_queries, snoozing
from messaging import work as services
from messaging.views.message import UNPROCESSABLE, actor
from messaging.views.panes import is_htmx, news
from messaging.views.rows import list_context
from messaging.views.selection import Chosen, chosen_of
from messaging.work import WorkError, in_batches
from sessions_app.access import require
from sessions_app.live import asked, pin_numbers
from sessions_app.models import Team, User
from sessions_app.people.roles import Capability, answerers_of
from sessions_app.templatetags.console import until_text

Act = Callable[[list[int]], int]


def _begin(request: HttpRequest) -> Chosen:
    require(request.user, Capability.ANSWER)
    return chosen_of(request)


@require_POST
def assign(request: HttpRequest) -> HttpResponse:
    """`assignee`: a user's key, "me", or "" for nobody."""
    chosen, wanted = _begin(request), request.POST.get("assignee")
    people = list(answerers_of(chosen.teams()))
    if wanted is None:
        context = {"people": people, "assignee": chosen.assignee()}
        return _ask(request, chosen, "assign", _("Assign"), context)
    assignee = _person(people, wanted, actor(request))
    if assignee is None and wanted:
        return _say(request, chosen, _("Nobody was assigned: this person may not answer there."))
    count = _do(
        chosen, lambda ids: services.assign(ids=ids, assignee=assignee, user=actor(request))
    )
    if assignee is None:
        words = ngettext(
            "%(count)d conversation is nobody's now.",
            "%(count)d conversations are nobody's now.",
            count,
        )
        return _say(request, chosen, words % {"count": count})
    words = ngettext(
        "%(count)d conversation assigned to %(name)s.",
        "%(count)d conversations assigned to %(name)s.",
        count,
    )
    return _say(request, chosen, words % {"count": count, "name": assignee.display_name})


def _person(people: list[User], wanted: str, me: User) -> User | None:
    key = str(me.pk) if wanted == "me" else wanted
    return next((one for one in people if str(one.pk) == key), None)


@require_POST
def label(request: HttpRequest) -> HttpResponse:
    """`labels`: names that are to be there; `had`: those that all of them had; `new`: one more."""
    chosen = _begin(request)
    if "done" not in request.POST:
        context = {"labels": list_queries.labels_on(chosen.ids, chosen.teams())}
        return _ask(request, chosen, "label", _("Labels"), context)
    wanted, had = request.POST.getlist("labels"), request.POST.getlist("had")
    add = [*(name for name in wanted if name not in had), request.POST.get("new", "")]
    remove = [name for name in had if name not in wanted]
    count = _do(
        chosen,
        lambda ids: services.label(ids=ids, add=add, remove=remove, user=actor(request)),
    )
    words = ngettext(
        "Labels of %(count)d conversation changed.",
        "Labels of %(count)d conversations changed.",
        count,
    )
    return _say(request, chosen, words % {"count": count})


@require_POST
def snooze(request: HttpRequest) -> HttpResponse:
    """`until`: an ISO time, or "at" for what the field `at` says in the reader's own zone."""
    chosen, wanted = _begin(request), request.POST.get("until")
    context: dict[str, Any] = {"choices": snoozing.choices(timezone.now()), "problem": ""}
    if wanted is None:
        return _ask(request, chosen, "snooze", _("Snooze"), context)
    until = snoozing.parse(request.POST.get("at", "") if wanted == "at" else wanted)
    if until is None or until <= timezone.now():
        context["problem"] = _("Choose a time that is still to come.")
        return _ask(request, chosen, "snooze", _("Snooze"), context, status=UNPROCESSABLE)
    try:
        count = _do(chosen, lambda ids: services.snooze(ids=ids, until=until, user=actor(request)))
    except WorkError:  # the minute went by meanwhile
        count = 0
    words = ngettext(
        "%(count)d conversation snoozed %(until)s.",
        "%(count)d conversations snoozed %(until)s.",
        count,
    )
    return _say(request, chosen, words % {"count": count, "until": until_text(until)})


@require_POST
def resolve(request: HttpRequest) -> HttpResponse:
    """What is not all on the screen is asked for once more (`sure`)."""
    chosen = _begin(request)
    if chosen.is_all and "sure" not in request.POST:
        return _ask(request, chosen, "resolve", _("Resolve"), {})
    count = _do(chosen, lambda ids: services.resolve(ids=ids, user=actor(request)))
    words = ngettext("%(count)d conversation resolved.", "%(count)d conversations resolved.", count)
    return _say(request, chosen, words % {"count": count})


@require_POST
def reopen(request: HttpRequest) -> HttpResponse:
    chosen = _begin(request)
    count = _do(chosen, lambda ids: services.reopen(ids=ids, user=actor(request)))
    words = ngettext(
        "%(count)d conversation is open again.", "%(count)d conversations are open again.", count
    )
    return _say(request, chosen, words % {"count": count})


@require_POST
def transfer(request: HttpRequest) -> HttpResponse:
    """`team`: to any team: whoever hands over need not belong to it."""
    chosen, wanted = _begin(request), request.POST.get("team")
    teams = list(Team.objects.all())
    if wanted is None:
        context = {"teams": teams, "now_in": chosen.teams()}
        return _ask(request, chosen, "transfer", _("Hand over to another team"), context)
    team = next((one for one in teams if str(one.pk) == wanted), None)
    if team is None:
        return _say(request, chosen, _("Nothing was handed over: there is no such team."))
    count = _do(chosen, lambda ids: services.transfer(ids=ids, team=team, user=actor(request)))
    words = ngettext(
        "%(count)d conversation handed over to %(name)s.",
        "%(count)d conversations handed over to %(name)s.",
        count,
    )
    return _say(request, chosen, words % {"count": count, "name": team.name})


def _do(chosen: Chosen, act: Act) -> int:
    return in_batches(chosen.ids, act)


def _ask(
    request: HttpRequest,
    chosen: Chosen,
    act: str,
    title: str,
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    context = {
        "room": "inbox",
        "title": title,
        "fragment": f"inbox/work_{act}.html",
        "address": reverse(f"inbox:{act}"),
        "chosen": chosen,
        **context,
    }
    page = context["fragment"] if is_htmx(request) else "parts/card_page.html"
    return render(request, str(page), context, status=status)


def _say(request: HttpRequest, chosen: Chosen, words: str) -> HttpResponse:
    """Of one conversation its own page shows what came of it; of several a line says it."""
    if not is_htmx(request):
        return redirect(chosen.way_back())
    if chosen.is_single:
        opened = asked(request).open
        if opened in chosen.ids and not chosen.still_mine(opened):
            return HttpResponse(headers={"HX-Redirect": chosen.way_back()})
        return news(request, said=words)
    pin_numbers(request)
    context = {**list_context(request, listing=chosen.listing), "said": words}
    response = render(request, "inbox/other_list.html", context)
    response["HX-Retarget"], response["HX-Reswap"] = "#list-pane", "outerHTML"
    return response
