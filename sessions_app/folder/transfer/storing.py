"""Writes an imported session and its contexts. Each session is one transaction."""

from collections.abc import Mapping
from datetime import UTC, datetime

from sessions_app.folder.mirror import Conversations, contexts
from sessions_app.folder.store import StoredContext, StoredToken, is_plain
from sessions_app.folder.transfer.judging import Action, Verdict
from sessions_app.models import Session, Team
from sessions_app.realtime.streams import announcing, wake_workers
from sessions_app.sessions import names, services
from sessions_app.sessions.binding import Credentials, bind

Entries = Mapping[str, StoredContext]


class Changed(Exception):  # noqa: N818 - a statement
    """Somebody scanned or logged out after the session was judged and before its row was locked."""

    def __init__(self) -> None:
        super().__init__("it changed here in this very moment; import it again.")


def with_tokens(entries: Entries) -> dict[str, StoredContext]:
    """Entries of people who wrote to the bot. An entry without a token cannot be used to reply."""
    return {user: one for user, one in entries.items() if one.token}


def storable(entries: Entries) -> dict[str, StoredContext]:
    return {
        user: one
        for user, one in with_tokens(entries).items()
        if 0 < len(user) <= 200 and is_plain(user) and one.token and moment(one.received_at_s)
    }


def store_session(name: str, token: StoredToken, verdict: Verdict, *, replace: bool) -> Session:
    """Write credentials, cursor and times. Raises Changed or SessionNameError."""
    with announcing() as change:
        session = _locked(name, verdict)
        if verdict.action is Action.REFRESH and not replace:
            return session
        if verdict.action is not Action.REFRESH:
            credentials = Credentials(token.token, token.bot_id, token.base_url, token.user_id)
            bind(change, session, credentials, who=None, from_folder=True)
        session.cursor = token.cursor
        session.bound_at = moment(token.created_at_s) or session.bound_at
        if verdict.action is Action.ADD and session.bound_at:
            session.created_at = session.bound_at
        session.save(update_fields=["cursor", "bound_at", "created_at"])
        wake_workers()
    return session


def store_contexts(session: Session, entries: Entries, conversations: Conversations) -> None:
    """Write tokens and counts. Importing the same ones again changes nothing."""
    contexts.merge_entries(session.pk, session.generation, dict(entries), conversations)


def _locked(name: str, verdict: Verdict) -> Session:
    if verdict.session is None:
        return services.create_session(name=name, team=Team.objects.order_by("pk")[:1].get())
    judged = verdict.session
    session = Session.objects.select_for_update(no_key=True).get(pk=judged.pk)
    if (session.generation, session.encrypted_token) != (judged.generation, judged.encrypted_token):
        raise Changed
    return session


def connected_default() -> str:
    """The name of the default session here, or "" if there is none or it is logged out."""
    default = Session.objects.filter(is_default=True, deleted_at=None).exclude(encrypted_token="")
    return default.values_list("name", flat=True).first() or ""


def make_default(name: str) -> None:
    session = Session.objects.get(name_key=names.name_key(name))
    if not session.is_default:
        services.set_default(session=session, user=None)


def moment(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds else None
    except (OverflowError, ValueError, OSError):
        return None
