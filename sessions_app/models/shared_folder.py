"""What the console knows about the shared session folder: one row, written by the mirror.

Pages read this row, so that they never open a file of the folder or wait for its locks.
"""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

FOLDER_CODES = (
    "folder_absent", "folder_empty", "folder_file", "same_bot", "contexts_file",
)  # fmt: skip
"""Reasons of `failing` that the mirror sets and resets. Such a session is not polled."""

HOLDER_STOPPED = "holder_stopped"
"""Reason of `failing` while the program that holds the folder's poll lock is stopped."""


class Receiver(models.TextChoices):
    """Who holds the folder's poll lock."""

    NOBODY = "nobody", _("nobody")
    CONSOLE = "console", _("this console")
    ANOTHER = "another", _("another program")
    FROZEN = "frozen", _("a program that hangs")


class SharedFolder(models.Model):
    """The folder at `WEILINK_BASE_PATH` as the mirror last saw it. There is one row, with key 1."""

    path = models.CharField(_("folder"), max_length=1000, blank=True)
    # Why the whole folder is unusable, for `reasons.sentence`. Empty if it is usable.
    error_code = models.CharField(_("error code"), max_length=40, blank=True)
    error_detail = models.CharField(_("error detail"), max_length=400, blank=True)
    # The name of the default session when folder and rows were last in sync.
    default_name = models.CharField(_("default session"), max_length=64, blank=True)
    # Subfolders that are not sessions: [{"name", "problem", "reason"}], sorted by name.
    set_aside = models.JSONField(_("set aside"), default=list, blank=True)
    receiver = models.CharField(
        _("received by"), max_length=8, choices=Receiver.choices, default=Receiver.NOBODY
    )
    # Set by "Let another program receive", until one does or the time is over.
    handed_over_at = models.DateTimeField(_("handed over"), null=True, blank=True)
    # How far the SDK's messages.db was read, and which file that was.
    store_key = models.CharField(max_length=80, blank=True)
    store_position = models.BigIntegerField(default=0)
    seen_at = models.DateTimeField(_("seen"), default=timezone.now)

    class Meta:
        verbose_name = _("session folder")
        verbose_name_plural = _("session folders")

    def __str__(self) -> str:
        return self.path
