"""A team's logo: decoded in the helper process like every other picture, and kept as a new one."""

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from messaging.media import storing
from messaging.media.limits import MEGABYTE, limits
from messaging.media.workshop import WorkRefused
from messaging.transfers.uploads import workshop

MOST_MB = 2


class NotALogo(Exception):  # noqa: N818 - a statement
    """The file is too large or not a picture; the message says so to whoever chose it."""


def logo_from(file: "UploadedFile[bytes]") -> bytes:
    """A small WebP of the uploaded picture. Raises NotALogo.

    Nothing of the upload itself is kept: no metadata, and nothing that is hidden behind a picture.
    """
    if (file.size or 0) > MOST_MB * MEGABYTE:
        raise NotALogo(_("A logo may have up to %(most)d MB.") % {"most": MOST_MB})
    with storing.workplace() as folder:
        source, target = folder / "file", folder / "logo"
        with source.open("wb") as copy:
            for piece in file.chunks():
                copy.write(piece)
        job = {"do": "logo", "source": str(source), "target": str(target)}
        try:
            workshop().do_now({**job, "most_pixels": limits().most_pixels})
        except WorkRefused as refused:
            words = _("This is not a picture that can be shown. Choose a PNG, JPEG or WebP file.")
            raise NotALogo(words) from refused
        return target.read_bytes()
