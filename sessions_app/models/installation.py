"""What must be known of a whole database before anything polls or sends."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Installation(models.Model):
    """There is one row, with key 1, or none: an ordinary installation that was never copied.

    `held_at`, `held_of`: this is a copy of that installation, and nothing polls or sends here
    before an administrator releases it. `moved_at`, `moved_to`: this installation was copied to
    that place, and no console starts on it any more. Places are addresses without a password.
    """

    held_at = models.DateTimeField(_("held since"), null=True, blank=True)
    held_of = models.CharField(_("copy of"), max_length=1000, blank=True)
    released_at = models.DateTimeField(_("released"), null=True, blank=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    moved_at = models.DateTimeField(_("moved"), null=True, blank=True)
    moved_to = models.CharField(_("moved to"), max_length=1000, blank=True)

    class Meta:
        verbose_name = _("installation")
        verbose_name_plural = _("installations")

    def __str__(self) -> str:
        return self.moved_to or self.held_of
