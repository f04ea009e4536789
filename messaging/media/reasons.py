"""Error codes of files as sentences for the user. Rows store only the code."""

from collections.abc import Callable, Sequence

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from messaging.media.limits import limits
from sessions_app.text.unseen import apart


def _most(count: int) -> str:
    return str(filesizeformat(count))


def too_large_to_send(kind: str) -> str:
    """`kind`: "" while it is unknown."""
    now = limits()
    most = now.outgoing(kind) if kind else now.any_outgoing
    return _("This file is over %(most)s, the limit set here.") % {"most": _most(most)}


def too_many_waiting(people: Sequence[str]) -> str:
    """`people`: the contacts with the most unsent bytes; empty if the files are in no draft."""
    if not people:
        return _("You have too many unsent files. Send or remove some.")
    words = _("You have too many unsent files, most of them for %(people)s. Send or remove some.")
    return words % {"people": ", ".join(apart(name) for name in people)}


_SENTENCES: dict[str, Callable[[], str]] = {
    # fetching
    "unsupported": lambda: _("this console can't show it yet"),
    "no_address": lambda: _("WeChat did not say where the file is"),
    "too_large": lambda: _("it is larger than the limit set here"),
    "not_there_yet": lambda: _("WeChat does not give it out yet"),
    "gone": lambda: _("WeChat no longer provides it"),
    "unsafe_host": lambda: _("WeChat named an address that is not allowed"),
    "wrong_key": lambda: _("it can't be decrypted with the key that came with it"),
    "cdn_busy": lambda: _("WeChat's server is busy"),
    "cdn_unavailable": lambda: _("WeChat's file server could not be reached"),
    "no_room": lambda: _("it could not be written to the disk here"),
    "internal": lambda: _("an error in the console; see its log"),
    "sealed": lambda: _(
        "its key was encrypted with a key that is missing in WEILINK_CREDENTIAL_KEYS"
    ),
    "cleared": lambda: _("it was deleted to make room for newer files"),
    "too_old": lambda: _("it was deleted: files are kept for a limited time"),
    # showing
    "not_a_picture": lambda: _("it is not a picture that can be shown here"),
    "too_little": lambda: _("too little of it arrived to be shown"),
    "incomplete": lambda: _("incomplete: only part of it arrived"),
    "not_a_video": lambda: _("browsers cannot play it"),
    "too_many_pixels": lambda: _("it has too many pixels to be shown"),
    "not_playable": lambda: _("browsers cannot play this kind of recording"),
    "not_a_voice": lambda: _("this recording cannot be read"),
    "voice_too_long": lambda: _("this recording is too long to be played here"),
    "not_readable": lambda: _("it could not be read"),
    # sending
    "empty_file": lambda: _("This file is empty."),
    "file_too_large": lambda: too_large_to_send(""),
    "too_many_files": lambda: (
        ngettext(
            "A reply can have at most %(count)d file.",
            "A reply can have at most %(count)d files.",
            limits().most_files_per_reply,
        )
        % {"count": limits().most_files_per_reply}
    ),
    "too_many_waiting": lambda: too_many_waiting([]),
    "wrong_kind": lambda: _("The file's content does not match the chosen kind."),
    "file_in_note": lambda: _("Notes can't have files. Write a reply, or remove the files."),
    "file_parked": lambda: _(
        "Only text can wait until the customer writes. Remove the files first."
    ),
    "unknown_upload": lambda: _("This file is no longer here. Add it again."),
}


def sentence(code: str) -> str:
    """The sentence for a code; "" for no code. Without a full stop if it is part of a line."""
    make = _SENTENCES.get(code)
    return make() if make else code


_ASKED_FOR_AGAIN = frozenset(
    {"no_address", "gone", "wrong_key", "unsafe_host", "too_little", "not_a_voice", "not_readable"}
)


def advice(code: str, contact: str) -> str:
    """What an agent can do about a missing or incomplete file; "" if nothing."""
    if code == "incomplete":
        return _("If the rest matters, ask %(name)s to send it again.") % {"name": contact}
    if code in _ASKED_FOR_AGAIN:
        return _("Ask %(name)s to send it again.") % {"name": contact}
    return ""
