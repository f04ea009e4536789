"""Actions on conversations: one, the selected ones, or all that match the list.

Each action has one URL. Without its choice (who, until when, which labels), and on GET, it shows
the form that asks for it, as a dialog or as a page. With the choice it acts and shows the result,
with a link to undo it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from messaging.conversations import snooze_times, undo_notes, undoing
from messaging.conversations import work as services
from messaging.conversations.snooze_times import SnoozeChoice
from messaging.conversations.work import WorkError, in_batches
from messaging.inbox import list_queries
from messaging.inbox.views.message import UNPROCESSABLE, actor
from messaging.inbox.views.panes import news
from messaging.inbox.views.rows import list_context, listing_behind
from messaging.inbox.views.saying import resolved_words, with_words
from messaging.inbox.views.selection import Chosen, chosen_of
from messaging.models import EventCode, WorkAction
from sessions_app.models import Team, User
from sessions_app.pages.answers import is_htmx
from sessions_app.people.roles import Capability, answerers_of
from sessions_app.realtime.page_numbers import asked, pin_numbers
from sessions_app.sessions.access import require
from sessions_app.templatetags.console import until_text
from sessions_app.text.unseen import apart

Act = Callable[[list[int], WorkAction], int]

asks_or_acts = require_http_methods(["GET", "POST"])
MOST_IN_ADDRESS = 100


@dataclass(frozen=True, slots=True)
class Did:
    """How many conversations changed; `action`: undoes it, None if nothing can be undone."""

    count: int = 0
    action: WorkAction | None = None


def _begin(request: HttpRequest) -> Chosen:
    require(request.user, Capability.ANSWER)
    return chosen_of(request)


@asks_or_acts
def assign(request: HttpRequest) -> HttpResponse:
    """`assignee`: a user's key, "me", or "" for nobody."""
    chosen, wanted = _begin(request), request.POST.get("assignee")
    people = list(answerers_of(chosen.teams()))
    if wanted is None:
        context = {"people": people, "assignee": chosen.assignee()}
        return _ask(request, chosen, "assign", _("Assign"), context)
    assignee = _person(people, wanted, actor(request))
    if assignee is None and wanted:
        return _say(request, chosen, _("Not assigned: this person can't answer in that team."))
    did = _do(
        request,
        chosen,
        EventCode.ASSIGNED,
        lambda ids, action: services.assign(
            ids=ids, assignee=assignee, user=actor(request), action=action
        ),
    )
    if assignee is None:
        words = ngettext(
            "%(count)d conversation is unassigned now.",
            "%(count)d conversations are unassigned now.",
            did.count,
        )
        return _say(request, chosen, words % {"count": did.count}, did)
    words = ngettext(
        "%(count)d conversation assigned to %(name)s.",
        "%(count)d conversations assigned to %(name)s.",
        did.count,
    )
    return _say(
        request, chosen, words % {"count": did.count, "name": apart(assignee.display_name)}, did
    )


def _person(people: list[User], wanted: str, me: User) -> User | None:
    key = str(me.pk) if wanted == "me" else wanted
    return next((one for one in people if str(one.pk) == key), None)


@asks_or_acts
def label(request: HttpRequest) -> HttpResponse:
    """`labels`: names to set; `had`: names that all of them had before; `new`: a new label."""
    chosen = _begin(request)
    if "done" not in request.POST:
        context = {"labels": list_queries.labels_on(chosen.ids, chosen.teams())}
        return _ask(request, chosen, "label", _("Labels"), context)
    wanted, had = request.POST.getlist("labels"), request.POST.getlist("had")
    add = [*(name for name in wanted if name not in had), request.POST.get("new", "")]
    remove = [name for name in had if name not in wanted]
    did = _do(
        request,
        chosen,
        EventCode.LABELLED,
        lambda ids, action: services.label(
            ids=ids, add=add, remove=remove, user=actor(request), action=action
        ),
    )
    words = ngettext(
        "Labels of %(count)d conversation changed.",
        "Labels of %(count)d conversations changed.",
        did.count,
    )
    return _say(request, chosen, words % {"count": did.count}, did)


@asks_or_acts
def snooze(request: HttpRequest) -> HttpResponse:
    """`until`: an ISO time, or "at" for the field `at`, which is in the reader's time zone.

    Asks again (`sure`) if the reply window would close meanwhile or the time is ambiguous.
    """
    chosen, wanted = _begin(request), request.POST.get("until")
    now = timezone.now()
    if wanted is None:
        return _ask_until(request, chosen, snooze_times.choices(now))
    typed = snooze_times.read(request.POST.get("at", "") if wanted == "at" else wanted)
    found = _warned(chosen, [one for one in typed if one.until > now])
    if not found:
        problem = _("Choose a time in the future.")
        return _ask_until(request, chosen, snooze_times.choices(now), problem=problem)
    if "sure" not in request.POST and any(one.warnings for one in found):
        context = {"choices": found, "warnings": _each_once(found)}
        return _ask(request, chosen, "snooze_sure", _("Snooze"), context)
    until = found[0].until
    try:
        did = _do(
            request,
            chosen,
            EventCode.SNOOZED,
            lambda ids, action: services.snooze(
                ids=ids, until=until, user=actor(request), action=action
            ),
        )
    except WorkError:  # the time has passed meanwhile
        did = Did()
    words = ngettext(
        "%(count)d conversation snoozed %(until)s.",
        "%(count)d conversations snoozed %(until)s.",
        did.count,
    )
    return _say(request, chosen, words % {"count": did.count, "until": until_text(until)}, did)


def _ask_until(
    request: HttpRequest, chosen: Chosen, offered: list[SnoozeChoice], *, problem: str = ""
) -> HttpResponse:
    context: dict[str, Any] = {"choices": _warned(chosen, offered), "problem": problem}
    status = UNPROCESSABLE if problem else 200
    return _ask(request, chosen, "snooze", _("Snooze"), context, status=status)


def _warned(chosen: Chosen, found: list[SnoozeChoice]) -> list[SnoozeChoice]:
    closings = chosen.closings(timezone.now())
    return snooze_times.warn_of_window(found, closings, count=chosen.count)


def _each_once(found: list[SnoozeChoice]) -> list[str]:
    return list(dict.fromkeys(words for one in found for words in one.warnings))


@asks_or_acts
def resolve(request: HttpRequest) -> HttpResponse:
    """Asks again (`sure`) if not all of the conversations are on the screen."""
    chosen = _begin(request)
    if chosen.is_all and "sure" not in request.POST:
        return _ask(request, chosen, "resolve", _("Resolve"), {})
    did = _do(
        request,
        chosen,
        EventCode.RESOLVED,
        lambda ids, action: services.resolve(ids=ids, user=actor(request), action=action),
    )
    return _say(request, chosen, resolved_words(did.count), did)


@asks_or_acts
def reopen(request: HttpRequest) -> HttpResponse:
    """Nothing is lost by reopening, so it does not ask."""
    chosen = _begin(request)
    if request.method == "GET":
        return redirect(chosen.way_back())
    did = _do(
        request,
        chosen,
        EventCode.REOPENED,
        lambda ids, action: services.reopen(ids=ids, user=actor(request), action=action),
    )
    words = ngettext(
        "%(count)d conversation reopened.",
        "%(count)d conversations reopened.",
        did.count,
    )
    return _say(request, chosen, words % {"count": did.count}, did)


@asks_or_acts
def transfer(request: HttpRequest) -> HttpResponse:
    """`team`: any team; the user need not be a member of it."""
    chosen, wanted = _begin(request), request.POST.get("team")
    teams = list(Team.objects.all())
    if wanted is None:
        context = {"teams": teams, "now_in": chosen.teams()}
        return _ask(request, chosen, "transfer", _("Transfer to another team"), context)
    team = next((one for one in teams if str(one.pk) == wanted), None)
    if team is None:
        return _say(request, chosen, _("Not transferred: there is no such team."))
    did = _do(
        request,
        chosen,
        EventCode.TRANSFERRED,
        lambda ids, action: services.transfer(
            ids=ids, team=team, user=actor(request), action=action
        ),
    )
    words = ngettext(
        "%(count)d conversation transferred to %(name)s.",
        "%(count)d conversations transferred to %(name)s.",
        did.count,
    )
    return _say(request, chosen, words % {"count": did.count, "name": team.name}, did)


def _do(request: HttpRequest, chosen: Chosen, code: EventCode, act: Act) -> Did:
    action = undo_notes.begin(user=actor(request), code=code)
    count = in_batches(chosen.ids, lambda ids: act(ids, action))
    if undoing.can_be_undone(action):
        return Did(count, action)
    action.delete()
    return Did(count)


def _ask(
    request: HttpRequest,
    chosen: Chosen,
    act: str,
    title: str,
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    is_first = "_" not in act  # else a second question, such as `snooze_sure`
    fits = is_first and (chosen.is_all or len(chosen.ids) <= MOST_IN_ADDRESS)
    if fits and request.method == "POST" and status < UNPROCESSABLE and not is_htmx(request):
        # Redirect to a page that can be reloaded.
        return redirect(chosen.asking_address(act))
    context = {
        "room": "inbox",
        "title": title,
        "fragment": f"work/{act}.html",
        "address": reverse(f"inbox:{act.partition('_')[0]}"),
        "chosen": chosen,
        **context,
    }
    page = context["fragment"] if is_htmx(request) else "parts/card_page.html"
    return render(request, str(page), context, status=status)


def _say(request: HttpRequest, chosen: Chosen, words: str, did: Did | None = None) -> HttpResponse:
    """Show the result where it was asked for, with a link to undo it."""
    action = did.action if did else None
    if not is_htmx(request):
        return _page(request, chosen.way_back(), words, action)
    if chosen.is_single:
        opened = asked(request).open
        if opened in chosen.ids and not chosen.still_mine(opened):
            page = _page(request, chosen.way_back(), words, action)
            return HttpResponse(headers={"HX-Redirect": page["Location"]})
        return with_words(news(request), words, action)
    pin_numbers(request)
    context = list_context(request, listing=chosen.listing)
    response = render(request, "inbox/other_list.html", context)
    response["HX-Retarget"], response["HX-Reswap"] = "#list-pane", "outerHTML"
    return with_words(response, words, action)


def _page(
    request: HttpRequest, address: str, words: str, action: WorkAction | None
) -> HttpResponse:
    messages.success(request, words, extra_tags=str(action.pk) if action else "")
    return redirect(address)


@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """`action`: undone for each of its conversations that nobody has changed since."""
    require(request.user, Capability.ANSWER)
    key = request.POST.get("action", "")
    try:
        is_key = key.isascii() and key.isdigit() and len(key) < 19
        undone = undoing.undo(action_id=int(key) if is_key else 0, user=actor(request))
    except undoing.CannotUndoError:
        words = _("It is too late to undo this.")
    else:
        words = _undone_words(undone)
    if is_htmx(request):
        return with_words(news(request), words, None)
    address = reverse("inbox:inbox") + listing_behind(request).suffix
    return _page(request, address, words, None)


def _undone_words(undone: undoing.Undone) -> str:
    if not undone.kept:
        words = ngettext(
            "Undone. The conversation is as it was.",
            "Undone. %(count)d conversations are as they were.",
            undone.count,
        )
        return words % {"count": undone.count}
    words = ngettext(
        "%(count)d of %(all)d undone; %(kept)d changed meanwhile.",
        "%(count)d of %(all)d undone; %(kept)d changed meanwhile.",
        undone.kept,
    )
    everything = undone.count + undone.kept
    return words % {"count": undone.count, "all": everything, "kept": undone.kept}
