"""Translates the error codes of sessions, logins and messages into sentences.

Rows store (code, detail) instead of a sentence, so that each reader gets their own language.
Sentences about limits read the team's settings and may query the database, so do not call them in
an event loop.
"""

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sessions_app.sessions.names import SessionNameError
from sessions_app.team_settings.limits import TeamSettings, team_settings


def _plain(source: Callable[[], str]) -> Callable[[str], str]:
    return lambda _detail: source()


def _with_detail(template: Callable[[], str]) -> Callable[[str], str]:
    return lambda detail: template() % {"detail": detail}


def _window_closed(hours: int) -> str:
    words = ngettext(
        "more than %(hours)d hour has passed; WeChat silently drops later replies",
        "more than %(hours)d hours have passed; WeChat silently drops later replies",
        hours,
    )
    return words % {"hours": hours}


def _quota_exhausted(count: int) -> str:
    words = ngettext(
        "%(count)d of %(count)d replies used (our count); WeChat may refuse",
        "%(count)d of %(count)d replies used (our count); WeChat may refuse",
        count,
    )
    return words % {"count": count}


def _too_fast(limits: TeamSettings) -> str:
    words = ngettext(
        "WeChat's rate limit: about %(count)d message in %(minutes)d min to one person, "
        "then a pause",
        "WeChat's rate limit: about %(count)d messages in %(minutes)d min to one person, "
        "then a pause",
        limits.pace_count,
    )
    return words % {"count": limits.pace_count, "minutes": limits.pace_minutes}


def _bound_elsewhere(name: str) -> str:
    """`name`: the session that has the WeChat account now, unless it is another team's."""
    if not name:
        return sentence("signed_out")
    return _("this WeChat account is now bound as “%(detail)s”") % {"detail": name}


def _same_bot(folder: str) -> str:
    """`folder`: a sentence that names the other folder, unless it is another team's."""
    if not folder:
        return _("another folder holds this bot")
    return _("another folder holds this bot: %(detail)s") % {"detail": folder}


_SENTENCES: dict[str, Callable[[str], str]] = {
    # polling
    "signed_out": _plain(
        lambda: _(
            "WeChat signed this account out: it was connected elsewhere or removed on the phone"
        )
    ),
    "bound_elsewhere": _bound_elsewhere,
    "not_heard": _plain(lambda: _("WeChat has not answered for more than 90 seconds")),
    "http": _with_detail(lambda: _("WeChat answered %(detail)s")),
    "http_for": lambda detail: _gateway_for(detail),
    "unreachable": _plain(lambda: _("WeChat could not be reached")),
    "line_broken": _plain(lambda: _("the connection to WeChat broke")),
    "unreadable": _plain(lambda: _("WeChat's response could not be read")),
    "broke_off": _plain(lambda: _("a response from WeChat was cut off")),
    "refused": _with_detail(lambda: _("WeChat refused (%(detail)s)")),
    "unsafe_host": _with_detail(
        lambda: _("WeChat named an address that is not allowed: %(detail)s")
    ),
    "sealed": _plain(
        lambda: _(
            "the stored token was encrypted with a key that is missing in WEILINK_CREDENTIAL_KEYS"
        )
    ),
    "not_stored": _plain(
        lambda: _(
            "a response from WeChat could not be saved to the database; the raw data was kept"
        )
    ),
    # the shared folder
    "folder_absent": _plain(
        lambda: _(
            "the account folder is missing; no account was logged out, and the console "
            "keeps looking for it"
        )
    ),
    "folder_empty": _plain(
        lambda: _(
            "the account folder is empty, perhaps because a disk is not mounted; no "
            "account was logged out"
        )
    ),
    "folder_file": _with_detail(lambda: _("its file in the account folder: %(detail)s")),
    "contexts_file": _with_detail(lambda: _("its contexts in the account folder: %(detail)s")),
    "holder_stopped": _plain(
        lambda: _("the program that receives for the account folder is not responding")
    ),
    "same_bot": _same_bot,
    "another_program_logged_out": _plain(lambda: _("another program logged it out")),
    "elsewhere": _plain(lambda: _("by another program")),
    "folder_busy": _plain(
        lambda: _("another program is using the account folder; this is sent as soon as it is free")
    ),
    # logins
    "no_credentials": _plain(lambda: _("WeChat confirmed the scan without handing out a token")),
    "too_many_codes": _plain(
        lambda: _("no code was scanned in time; three codes were shown in all")
    ),
    "invitation_ended": _plain(
        lambda: _("the member who made the invitation may no longer invite")
    ),
    "name_taken": _with_detail(lambda: _("an account named “%(detail)s” exists now")),
    # names: whole sentences, shown under the form field
    "name_empty": _plain(lambda: _("Enter a name.")),
    "name_too_long": _plain(lambda: _("This name is too long. Use at most 64 characters.")),
    "name_invisible": _plain(lambda: _("A name can't contain invisible or control characters.")),
    "name_forbidden": _plain(lambda: _("A name can't contain / \\ or :")),
    "name_edges": _plain(
        lambda: _("A name can't start with a dot or a space, or end with a space.")
    ),
    "name_reserved": _plain(lambda: _("This name is reserved for files of the account folder.")),
    "name_default": _plain(lambda: _("Nothing can be renamed to “default”.")),
    "name_in_use": _with_detail(lambda: _("An account named “%(detail)s” already exists.")),
    # messages
    "no_context": _plain(lambda: _("this person has not written to this account yet")),
    "window_closed": _plain(lambda: _window_closed(team_settings().window_hours)),
    "quota_exhausted": _plain(lambda: _quota_exhausted(team_settings().replies_per_token)),
    "session_offline": _with_detail(
        lambda: _("“%(detail)s” is signed out; its QR code must be scanned again")
    ),
    "text_too_long": _plain(lambda: _("the text is over 16,384 bytes")),
    "empty": _plain(lambda: _("there is nothing to send")),
    "too_fast": _plain(lambda: _too_fast(team_settings())),
    "no_reason": _plain(lambda: _("WeChat refused and gave no reason")),
    "no_id": _plain(lambda: _("accepted, no receipt")),
    "rate_limited": _with_detail(lambda: _("WeChat says: %(detail)s")),
    "wechat_says": _with_detail(lambda: _("WeChat says: %(detail)s")),
    "token_replaced": _plain(
        lambda: _(
            "the person wrote again at the same moment, so WeChat refused it; you can send it again"
        )
    ),
    "in_doubt": _plain(
        lambda: _(
            "WeChat refused this reply as if the account were signed out; the console is checking"
        )
    ),
    "in_doubt_over": _plain(
        lambda: _("WeChat refused this reply as if the account were signed out, but it is not")
    ),
    "throttled": lambda detail: (
        _("WeChat says: %(detail)s") % {"detail": detail}
        if detail
        else _("WeChat limits this account's replies")
    ),
    "worker_lost": _plain(
        lambda: _("the worker stopped while sending; the reply may have arrived")
    ),
    "restored": _plain(
        lambda: _(
            "it waited or was being sent when this data was copied or backed up; it may have "
            "arrived"
        )
    ),
    "upload_refused": _with_detail(
        lambda: _("WeChat's file server does not accept this file (%(detail)s)")
    ),
    "upload_busy": _plain(lambda: _("WeChat's server is busy")),
    "upload_not_taken_yet": _plain(lambda: _("WeChat's file server does not accept this file yet")),
    "upload_failed": _plain(lambda: _("the file could not be uploaded; nothing was sent")),
    "file_lost": _plain(lambda: _("the file is no longer here")),
    "not_uploaded": _plain(lambda: _("WeChat no longer had the file; nothing was sent")),
    "not_reached": _plain(lambda: _("WeChat could not be reached; nothing was sent")),
}


def _gateway_for(detail: str) -> str:
    """`detail`: the HTTP status and the number of minutes it has lasted, such as "524 4"."""
    status, _space, count = detail.partition(" ")
    minutes = int(count) if count.isdecimal() else 1
    words = ngettext(
        "WeChat's gateway answered %(status)s for %(minutes)d minute",
        "WeChat's gateway answered %(status)s for %(minutes)d minutes",
        minutes,
    )
    return words % {"status": status, "minutes": minutes}


def sentence(code: str, detail: str = "") -> str:
    """What `code` means, without a full stop. For an unknown code, its detail."""
    if not code:
        return ""
    make = _SENTENCES.get(code)
    return make(detail) if make else detail or _("an unknown reason (%(code)s)") % {"code": code}


def name_problem(problem: SessionNameError) -> str:
    """The error of a session name in the reader's language."""
    return sentence(problem.code, problem.detail)


def times(count: int) -> str:
    """The count in words: “three times”."""
    words = {1: _("once"), 2: _("twice"), 3: _("three times")}
    return words.get(count) or ngettext("%(count)d time", "%(count)d times", count) % {
        "count": count
    }
