"""All reads of the board, the session page and the live numbers. Nothing is written here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from sessions_app import leases, reasons
from sessions_app.access import sessions_of
from sessions_app.day import Day, days_of
from sessions_app.models import Session, SessionEvent, SessionState, Team, User
from sessions_app.people.roles import Visitor, team_ids_of
from sessions_app.realtime import numbers_of

SILENT_AFTER_S = 90

_TONES = {
    SessionState.CONNECTED: "ok",
    SessionState.POLLED_ELSEWHERE: "ok",
    SessionState.CONNECTING: "warn",
    SessionState.FAILING: "warn",
    SessionState.EXPIRED: "bad",
    SessionState.PAUSED: "idle",
    SessionState.LOGGED_OUT: "idle",
}

_RECEIVING = (SessionState.CONNECTED, SessionState.POLLED_ELSEWHERE)
_NEEDY = (SessionState.EXPIRED, SessionState.FAILING)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One line of the board. `tone`: ok, warn, bad or idle; `because`: a sentence."""

    session: Session
    state_label: str
    tone: str
    because: str
    owner: str
    last_message_at: datetime | None
    last_contact: str = ""
    day: Day | None = None


@dataclass(frozen=True, slots=True)
class Worker:
    """The worker heard last."""

    heard_at: datetime | None
    alive: bool
    host: str


@dataclass(frozen=True, slots=True)
class Tiles:
    """Counts over the user's sessions; "today" begins at the reader's own midnight."""

    receiving: int
    needs_you: int
    messages_in_today: int
    messages_out_today: int


@dataclass(frozen=True, slots=True)
class EventLine:
    at: datetime
    sentence: str
    who: str


def board(user: Visitor, *, since: Mapping[str, int] | None = None) -> list[SessionRow]:
    """The user's sessions by name; with `since`, only those changed after these numbers."""
    sessions = sessions_of(user)
    if since is not None:
        sessions = sessions.filter(changed_since(user, since))
    now, rows = timezone.now(), list(sessions.order_by("name_key"))
    days = days_of(rows, now=now) if rows else {}
    return [session_row(session, now=now, day=days[session.pk].in_pairs()) for session in rows]


def removed_since(user: Visitor, since: Mapping[str, int]) -> list[int]:
    """Keys of the user's sessions that were deleted after these numbers."""
    gone = Session.objects.exclude(deleted_at=None).filter(changed_since(user, since))
    return list(gone.values_list("pk", flat=True))


def session_page(user: Visitor, *, after: str = "", limit: int = 50) -> list[Session]:
    """The user's sessions by name; `after`: the name key of the last one that is known."""
    return list(sessions_of(user).filter(name_key__gt=after).order_by("name_key")[:limit])


def default_session(user: Visitor) -> Session | None:
    """The default session, if the user may meet it."""
    return sessions_of(user).filter(is_default=True).first()


def receiving_count(user: Visitor) -> int:
    return sessions_of(user).filter(state__in=_RECEIVING).count()


def changed_since(user: Visitor, since: Mapping[str, int]) -> Q:
    """Rows with `team` and `version` that changed after the reader's numbers."""
    changed = Q(pk__in=[])
    for team_id in team_ids_of(user):
        changed |= Q(team_id=team_id, version__gt=since.get(f"team:{team_id}", 0))
    return changed


def session_row(session: Session, *, now: datetime, day: Day | None = None) -> SessionRow:
    state = SessionState(session.state)
    silent = _silent_for_s(session, now)
    deaf = state is SessionState.CONNECTED and silent is not None and silent > SILENT_AFTER_S
    return SessionRow(
        session=session,
        state_label=str(_("not heard") if deaf else state.label),
        tone="warn" if deaf else _TONES[state],
        because=_("no poll was answered for a while") if deaf else _because(session, state, now),
        owner=session.owner_id,
        last_message_at=session.last_message_at,
        day=day,
    )


def _silent_for_s(session: Session, now: datetime) -> float | None:
    heard = session.last_poll_at or session.bound_at
    return (now - heard).total_seconds() if heard else None


def _because(session: Session, state: SessionState, now: datetime) -> str:
    reason = reasons.sentence(session.error_code, session.error_detail)
    match state:
        case SessionState.FAILING:
            return _("%(reason)s, %(times)s in a row") % {
                "reason": reason,
                "times": reasons.times(session.errors_in_row),
            }
        case SessionState.EXPIRED:
            return reason or reasons.sentence("signed_out")
        case SessionState.PAUSED:
            return _("no polling until resumed; replies still go out")
        case SessionState.LOGGED_OUT:
            return _("scan a code to connect it")
        case SessionState.POLLED_ELSEWHERE:
            return _("another program receives for this folder")
        case SessionState.CONNECTING:
            return reason or _("waiting for the first answer of WeChat")
    if session.errors_in_row:
        return _("%(reason)s; trying again") % {"reason": reason}
    return _("WeChat answers its polls")


def board_tiles(user: Visitor) -> Tiles:
    """Two queries; messages are counted through the sessions' own relation."""
    sessions = sessions_of(user)
    states = list(sessions.values_list("state", flat=True))
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    today = sessions.filter(messages__stored_at__gte=midnight).order_by()
    counted = today.values_list("messages__direction").annotate(Count("messages"))
    by_direction: dict[str, int] = dict(counted)
    return Tiles(
        receiving=sum(state in _RECEIVING for state in states),
        needs_you=sum(state in _NEEDY for state in states),
        messages_in_today=by_direction.get("in", 0),
        messages_out_today=by_direction.get("out", 0),
    )


def session_events(session: Session, limit: int = 50) -> list[EventLine]:
    events = session.events.select_related("who")[:limit]
    return [
        EventLine(event.at, _event_sentence(event), event.who.display_name if event.who else "")
        for event in events
    ]


def _event_sentence(event: SessionEvent) -> str:
    reason = reasons.sentence(event.code, event.detail)
    match event.kind:
        case SessionEvent.Kind.STATE:
            label = str(SessionState(event.state).label) if event.state else ""
            return _labelled(label, reason)
        case SessionEvent.Kind.RENAMED:
            return _("renamed: %(names)s") % {"names": event.detail}
        case SessionEvent.Kind.BOUND:
            return _("bound to %(bot)s by a scan") % {"bot": event.detail}
        case SessionEvent.Kind.DELETED:
            return _("deleted: %(name)s") % {"name": event.detail}
    return _labelled(str(event.get_kind_display()), event.detail)


def _labelled(label: str, reason: str) -> str:
    return _("%(label)s: %(reason)s") % {"label": label, "reason": reason} if reason else label


def teams_for_new_session(user: Visitor) -> QuerySet[Team]:
    return Team.objects.filter(pk__in=team_ids_of(user))


def stream_keys_of(user: Visitor) -> list[str]:
    keys = [f"team:{pk}" for pk in team_ids_of(user)]
    return [*keys, user.stream_key] if isinstance(user, User) else keys


def live_numbers(user: Visitor, *, besides: Sequence[str] = ()) -> dict[str, int]:
    """Stream key → last number. Read BEFORE the rows that a page shows, never after."""
    return numbers_of([*stream_keys_of(user), *besides])


def worker() -> Worker:
    last = leases.latest_beat()
    if last is None:
        return Worker(None, alive=False, host="")
    age = timezone.now() - last.heard_at
    return Worker(last.heard_at, age < timedelta(seconds=leases.BEAT_TTL_S), last.host)


def rail_sessions(user: Visitor, *, limit: int) -> list[Session]:
    """The accounts that the rail shows, by name: all that fit."""
    return list(sessions_of(user).order_by("name_key")[:limit])


def has_sessions(user: Visitor) -> bool:
    return sessions_of(user).exists()


def one_row(user: Visitor, pk: int) -> SessionRow | None:
    """The row of one session of the user's teams."""
    session = sessions_of(user).filter(pk=pk).first()
    if session is None:
        return None
    now = timezone.now()
    return session_row(session, now=now, day=days_of([session], now=now)[session.pk])


def unreadable_answers(session: Session) -> tuple[int, datetime | None]:
    """How many answers of WeChat were kept as they came, and when the last one did."""
    kept = session.raw_answers.aggregate(count=Count("pk"), last=Max("received_at"))
    return kept["count"], kept["last"]
