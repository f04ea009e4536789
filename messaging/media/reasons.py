"""What became of a file, as a sentence for the reader. Rows store the code alone."""

from collections.abc import Callable

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from messaging.media.limits import limits


def _most(count: int) -> str:
    return str(filesizeformat(count))


def too_large_to_send(kind: str) -> str:
    """`kind`: "" while it is not known."""
    now = limits()
    most = now.outgoing(kind) if kind else now.any_outgoing
    return _("This file is over %(most)s, the limit set here.") % {"most": _most(most)}


_SENTENCES: dict[str, Callable[[], str]] = {
    # fetching
    "unsupported": lambda: _("this console cannot show it yet"),
    "no_address": lambda: _("WeChat did not say where it lies"),
    "too_large": lambda: _("it is larger than the limit set here"),
    "gone": lambda: _("WeChat does not give it out any more"),
    "unsafe_host": lambda: _("WeChat named an address that is not allowed"),
    "wrong_key": lambda: _("it does not open with the key that came with it"),
    "cdn_unavailable": lambda: _("WeChat's file server could not be reached"),
    "no_room": lambda: _("it could not be written to the disk here"),
    "internal": lambda: _("something broke here; the log says what"),
    "sealed": lambda: _("its key was sealed with one that WEILINK_CREDENTIAL_KEYS lacks"),
    "cleared": lambda: _("it was cleared to make room for newer files"),
    # showing
    "not_a_picture": lambda: _("it is no picture, whatever it was sent as"),
    "not_a_video": lambda: _("browsers cannot play it"),
    "too_many_pixels": lambda: _("it has too many pixels to be shown"),
    "not_a_voice": lambda: _("this recording cannot be read"),
    "voice_too_long": lambda: _("this recording is too long to be played here"),
    "not_readable": lambda: _("it could not be read"),
    # sending
    "empty_file": lambda: _("This file is empty."),
    "file_too_large": lambda: too_large_to_send(""),
    "too_many_files": lambda: (
        ngettext(
            "At most %(count)d file goes with one reply.",
            "At most %(count)d files go with one reply.",
            limits().most_files_per_reply,
        )
        % {"count": limits().most_files_per_reply}
    ),
    "too_many_waiting": lambda: _("Too many of your files wait to be sent. Send or remove some."),
    "wrong_kind": lambda: _("This file is not what it is to be sent as."),
    "file_in_note": lambda: _("Files cannot go with a note. Write a reply, or remove them."),
    "file_parked": lambda: _("Files cannot be parked. Remove them to park the text."),
    "unknown_upload": lambda: _("This file is not here any more. Add it again."),
}


def sentence(code: str) -> str:
    """Without a full stop where it stands inside a line; "" for no code."""
    make = _SENTENCES.get(code)
    return make() if make else code


def knows(code: str) -> bool:
    return code in _SENTENCES
