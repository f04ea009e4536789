"""All queries of the board and of a session's page. Read-only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from sessions_app.database.encryption import is_readable
from sessions_app.models import (
    LoginAttempt,
    LoginState,
    Session,
    SessionEvent,
    SessionState,
    Team,
)
from sessions_app.models.shared_folder import FOLDER_CODES
from sessions_app.people.roles import Visitor, team_ids_of
from sessions_app.realtime.numbers import changed_since
from sessions_app.sessions import health, held_replies, leases, reasons
from sessions_app.sessions.access import sessions_of
from sessions_app.sessions.day import Day, days_of
from sessions_app.sessions.health import Health, health_of
from sessions_app.text.wall_time import midnight

_TONES = {
    SessionState.CONNECTED: "ok",
    SessionState.POLLED_ELSEWHERE: "ok",
    SessionState.CONNECTING: "warn",
    SessionState.FAILING: "warn",
    SessionState.EXPIRED: "bad",
    SessionState.PAUSED: "idle",
    SessionState.LOGGED_OUT: "idle",
}


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One row of the board. `tone`: ok, warn, bad or idle; `because`: a sentence."""

    session: Session
    health: Health
    state_label: str
    tone: str
    because: str
    owner: str
    last_message_at: datetime | None
    last_contact: str = ""
    day: Day | None = None


@dataclass(frozen=True, slots=True)
class Worker:
    """The worker with the newest heartbeat."""

    heard_at: datetime | None
    alive: bool
    host: str


@dataclass(frozen=True, slots=True)
class Tiles:
    """Counts over the user's sessions. "Today" begins at midnight in the reader's time zone."""

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
    """The user's sessions, sorted by name.

    With `since`, only those changed after these stream numbers.
    """
    sessions = sessions_of(user)
    if since is not None:
        sessions = sessions.filter(changed_since(user, since))
    now, rows = timezone.now(), list(sessions.order_by("name_key"))
    days = days_of(rows, now=now) if rows else {}
    return [session_row(session, now=now, day=days[session.pk].in_pairs()) for session in rows]


def removed_since(user: Visitor, since: Mapping[str, int]) -> list[int]:
    """Primary keys of the user's sessions that were deleted after these stream numbers."""
    gone = Session.objects.exclude(deleted_at=None).filter(changed_since(user, since))
    return list(gone.values_list("pk", flat=True))


def session_page(user: Visitor, *, after: str = "", limit: int = 50) -> list[Session]:
    """The user's sessions, sorted by name.

    `after`: the name key of the last session already seen.
    """
    return list(sessions_of(user).filter(name_key__gt=after).order_by("name_key")[:limit])


def default_session(user: Visitor) -> Session | None:
    """The default session, if it belongs to the user's teams."""
    return sessions_of(user).filter(is_default=True).first()


def receiving_count(user: Visitor) -> int:
    """How many of the user's sessions receive, by `health_of`."""
    stored = sessions_of(user).filter(state__in=health.MAY_RECEIVE)
    return sum(one.is_receiving for one in _healths(stored))


def _healths(sessions: QuerySet[Session]) -> list[Health]:
    now = timezone.now()
    return [health_of(one, now=now) for one in sessions.only(*health.COLUMNS).order_by()]


def session_row(session: Session, *, now: datetime, day: Day | None = None) -> SessionRow:
    found = health_of(session, now=now)
    limited = "" if found.needs_somebody else held_replies.notice(session, now=now)
    return SessionRow(
        session=session,
        health=found,
        state_label=state_label(found),
        tone="warn" if limited else _TONES[found.state],
        because=limited or _because(session, found),
        owner=session.owner_id,
        last_message_at=session.last_message_at,
        day=day,
    )


def state_label(found: Health) -> str:
    if found.state is SessionState.FAILING and found.code in FOLDER_CODES:
        return _("on hold")
    return _("not heard") if found.is_silent else str(found.state.label)


def _because(session: Session, found: Health) -> str:
    reason = reasons.sentence(found.code, found.detail)
    match found.state:
        case SessionState.FAILING:
            return reason if found.is_silent else _failures(session, found, reason)
        case SessionState.EXPIRED:
            return reason or reasons.sentence("signed_out")
        case SessionState.PAUSED:
            return _("not receiving until resumed; replies are still sent")
        case SessionState.LOGGED_OUT:
            return _("scan a code to connect it")
        case SessionState.POLLED_ELSEWHERE:
            return _("another program receives for this folder")
        case SessionState.CONNECTING:
            return reason or _("waiting for the first answer of WeChat")
    if reason:
        return _("%(reason)s; trying again") % {"reason": reason}
    return pgettext("reason", "Connected")


def _failures(session: Session, found: Health, reason: str) -> str:
    """How many polls failed, for failures that are counted.

    Gateway errors and sessions that cannot be polled are not.
    """
    if session.errors_in_row < health.FAILING_FROM or found.code == health.GATEWAY_FOR:
        return reason
    words = {"reason": reason, "times": reasons.times(session.errors_in_row)}
    return _("%(reason)s, %(times)s in a row") % words


def board_tiles(user: Visitor) -> Tiles:
    """Takes two queries. Messages are counted through the session relation."""
    sessions = sessions_of(user)
    healths = _healths(sessions)
    began = midnight(timezone.localdate(), timezone.get_current_timezone())
    today = sessions.filter(messages__stored_at__gte=began).order_by()
    counted = today.values_list("messages__direction").annotate(Count("messages"))
    by_direction: dict[str, int] = dict(counted)
    return Tiles(
        receiving=sum(one.is_receiving for one in healths),
        needs_you=sum(one.needs_somebody for one in healths),
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
    reason, elsewhere = reasons.sentence(event.code, event.detail), event.code == "elsewhere"
    match event.kind:
        case SessionEvent.Kind.STATE:
            label = str(SessionState(event.state).label) if event.state else ""
            return _labelled(label, reason)
        case SessionEvent.Kind.RENAMED:
            words = (
                _("renamed by another program: %(names)s") if elsewhere else _("renamed: %(names)s")
            )
            return words % {"names": event.detail}
        case SessionEvent.Kind.BOUND:
            words = (
                _("bound to %(bot)s by another program")
                if elsewhere
                else _("bound to %(bot)s by a scan")
            )
            return words % {"bot": event.detail}
        case SessionEvent.Kind.LOGGED_OUT if event.code:
            return _("logged out by another program")
        case SessionEvent.Kind.BROKE_OFF if event.detail:
            words = ngettext(
                "a response from WeChat was cut off; up to %(count)s message may be missing",
                "a response from WeChat was cut off; up to %(count)s messages may be missing",
                int(event.detail),
            )
            return words % {"count": event.detail}
        case SessionEvent.Kind.BROKE_OFF:
            return _("a response from WeChat was cut off; messages may be missing")
        case SessionEvent.Kind.DELETED:
            return _("deleted: %(name)s") % {"name": event.detail}
    return _labelled(str(event.get_kind_display()), event.detail)


def _labelled(label: str, reason: str) -> str:
    return _("%(label)s: %(reason)s") % {"label": label, "reason": reason} if reason else label


def undecided_logins(user: Visitor) -> QuerySet[LoginAttempt]:
    """Logins by another WeChat account that wait for a user to decide where the token belongs."""
    waiting = LoginAttempt.objects.filter(
        status=LoginState.OTHER_ACCOUNT, team__in=team_ids_of(user)
    )
    return waiting.exclude(encrypted_result="").order_by("created_at")


def teams_for_new_session(user: Visitor) -> QuerySet[Team]:
    return Team.objects.filter(pk__in=team_ids_of(user))


def worker() -> Worker:
    last = leases.latest_beat()
    if last is None:
        return Worker(None, alive=False, host="")
    age = timezone.now() - last.heard_at
    return Worker(last.heard_at, age < timedelta(seconds=leases.BEAT_TTL_S), last.host)


@dataclass(frozen=True, slots=True)
class RailAccount:
    """One account in the rail. `trouble`: one or two words, or "" while it receives."""

    session: Session
    trouble: str
    tone: str


def rail_accounts(user: Visitor, *, limit: int) -> list[RailAccount]:
    """The first `limit` accounts for the rail, sorted by name."""
    now = timezone.now()
    return [_rail_account(one, now) for one in sessions_of(user).order_by("name_key")[:limit]]


def _rail_account(session: Session, now: datetime) -> RailAccount:
    """Agents read this too, so it does not mention sessions, tokens or polls."""
    found = health_of(session, now=now)
    if not session.may_send:
        return RailAccount(session, _("offline"), "bad")
    if found.needs_somebody:
        trouble = _("no answer")
        if found.is_silent or found.code in FOLDER_CODES:
            trouble = state_label(found)
        return RailAccount(session, trouble, "warn")
    return RailAccount(session, "", "")


def has_sessions(user: Visitor) -> bool:
    return sessions_of(user).exists()


def one_row(user: Visitor, pk: int) -> SessionRow | None:
    """The row of one session of the user's teams, or None."""
    session = sessions_of(user).filter(pk=pk).first()
    if session is None:
        return None
    now = timezone.now()
    return session_row(session, now=now, day=days_of([session], now=now)[session.pk])


def unreadable_answers(session: Session) -> tuple[int, datetime | None]:
    """How many WeChat answers could not be parsed and are kept raw, and the time of the last."""
    here = session.raw_answers.exclude(encrypted_body=b"")
    kept = here.aggregate(count=Count("pk"), last=Max("received_at"))
    return kept["count"], kept["last"]


def unreadable_tokens() -> tuple[list[str], int]:
    """Names of sessions whose token none of our keys decrypts, and the number of tokens."""
    stored = Session.objects.exclude(encrypted_token="").order_by("name_key")
    tokens = list(stored.values_list("name", "encrypted_token"))
    return [name for name, encrypted in tokens if not is_readable(encrypted)], len(tokens)
