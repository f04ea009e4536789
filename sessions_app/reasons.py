"""Every error code of sessions, logins and messages as a sentence for the person who reads it.

Rows store (code, detail), never a sentence, so that each reader gets their own language.
"""

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sessions_app.names import SessionNameError


def _plain(source: Callable[[], str]) -> Callable[[str], str]:
    return lambda _detail: source()


def _with_detail(template: Callable[[], str]) -> Callable[[str], str]:
    return lambda detail: template() % {"detail": detail}


_SENTENCES: dict[str, Callable[[str], str]] = {
    # polling
    "signed_out": _plain(
        lambda: _("WeChat ended this session: it was bound elsewhere or removed on the phone")
    ),
    "bound_elsewhere": _with_detail(lambda: _("this WeChat account is now bound as “%(detail)s”")),
    "not_heard": _plain(lambda: _("no poll was answered for more than 90 seconds")),
    "http": _with_detail(lambda: _("WeChat answered %(detail)s")),
    "unreachable": _plain(lambda: _("WeChat could not be reached")),
    "line_broken": _plain(lambda: _("the line to WeChat broke")),
    "unreadable": _plain(lambda: _("WeChat's answer could not be read")),
    "refused": _with_detail(lambda: _("WeChat refused (%(detail)s)")),
    "unsafe_host": _with_detail(
        lambda: _("WeChat named an address that is not allowed: %(detail)s")
    ),
    "sealed": _plain(
        lambda: _("the stored token was sealed with a key that WEILINK_CREDENTIAL_KEYS lacks")
    ),
    "not_stored": _plain(lambda: _("an answer could not be stored and was kept as it came")),
    # the shared folder
    "folder_absent": _plain(
        lambda: _("the session folder is not there; nobody was logged out, and it is looked for")
    ),
    "folder_empty": _plain(
        lambda: _("the session folder is empty, as an unmounted disk is; nobody was logged out")
    ),
    "folder_file": _with_detail(lambda: _("its file in the session folder: %(detail)s")),
    "contexts_file": _with_detail(lambda: _("its contexts in the session folder: %(detail)s")),
    "same_bot": _with_detail(lambda: _("another folder holds this bot: %(detail)s")),
    "another_program_logged_out": _plain(lambda: _("another program logged it out")),
    "elsewhere": _plain(lambda: _("by another program")),
    "folder_busy": _plain(
        lambda: _("another program holds the session folder; it goes as soon as that one is done")
    ),
    # logins
    "no_credentials": _plain(lambda: _("WeChat confirmed the scan without handing out a token")),
    "too_many_codes": _plain(
        lambda: _("no code was scanned in time; three codes were shown in all")
    ),
    "name_taken": _with_detail(lambda: _("a session named “%(detail)s” exists by now")),
    # names, whole sentences: they stand under the field
    "name_empty": _plain(lambda: _("Give the session a name.")),
    "name_too_long": _plain(lambda: _("This name is too long: 64 characters at most.")),
    "name_invisible": _plain(lambda: _("A name cannot hold invisible or control characters.")),
    "name_forbidden": _plain(lambda: _("A name cannot hold / \\ or :")),
    "name_edges": _plain(
        lambda: _("A name cannot begin with a dot or a space, or end with a space.")
    ),
    "name_reserved": _plain(lambda: _("This name is kept for the session folder's own files.")),
    "name_default": _plain(lambda: _("Nothing can be renamed to “default”.")),
    "name_in_use": _with_detail(lambda: _("There is a session named “%(detail)s” already.")),
    # messages
    "no_context": _plain(lambda: _("this person has not written to this session yet")),
    "window_closed": _plain(
        lambda: _("more than 24 hours have passed; WeChat drops later replies without telling")
    ),
    "quota_exhausted": _plain(lambda: _("10 replies are used by our count; WeChat may refuse")),
    "session_offline": _with_detail(lambda: _("“%(detail)s” is signed out; one scan is needed")),
    "text_too_long": _plain(lambda: _("the text is over 16,384 bytes")),
    "empty": _plain(lambda: _("there is nothing to send")),
    "too_fast": _plain(
        lambda: _("WeChat's pace: about 12 messages in 5 minutes to one person, then a pause")
    ),
    "no_reason": _plain(lambda: _("WeChat refused and gave no reason")),
    "no_id": _plain(lambda: _("taken, no receipt")),
    "worker_lost": _plain(lambda: _("the worker stopped while sending; it may have arrived")),
    "upload_refused": _with_detail(
        lambda: _("WeChat's file server does not take this file (%(detail)s)")
    ),
    "upload_failed": _plain(lambda: _("the file could not be uploaded; nothing was sent")),
    "file_lost": _plain(lambda: _("the file is not here any more")),
    "not_uploaded": _plain(lambda: _("the file was not at WeChat any more; nothing was sent")),
    "not_reached": _plain(lambda: _("WeChat could not be reached; nothing was sent")),
}


def sentence(code: str, detail: str = "") -> str:
    """What `code` means, without a full stop; an unknown code shows its detail."""
    if not code:
        return ""
    make = _SENTENCES.get(code)
    return make(detail) if make else detail or _("an unknown reason (%(code)s)") % {"code": code}


def name_problem(problem: SessionNameError) -> str:
    """A name's error in the reader's language."""
    return sentence(problem.code, problem.detail)


def times(count: int) -> str:
    """“three times” as an agent would say it."""
    words = {1: _("once"), 2: _("twice"), 3: _("three times")}
    return words.get(count) or ngettext("%(count)d time", "%(count)d times", count) % {
        "count": count
    }
