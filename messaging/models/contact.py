"""Contacts: people on WeChat. WeChat sends no name or picture, so they get number and colour."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sessions_app.text.unseen import visible

NOTE_MOST = 2_000
"""Longest note that a team may keep about a contact, in characters."""


class Contact(models.Model):
    """One person on WeChat, known by the WeChat id. Members may give the contact a name.

    `folded`: the text that searches use, see `finding.folded_contact`. Update it whenever the name
    changes.
    """

    user_id = models.CharField(_("WeChat id"), max_length=200, unique=True)
    number = models.PositiveIntegerField(_("number"), unique=True)
    name = models.CharField(_("name"), max_length=80, blank=True)
    folded = models.CharField(_("folded for searching"), max_length=700, blank=True, editable=False)
    note = models.TextField(_("note"), max_length=NOTE_MOST, blank=True, default="")
    colour = models.PositiveSmallIntegerField(_("colour"), default=0)
    created_at = models.DateTimeField(_("first seen"), default=timezone.now)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        """The name to show; invisible characters are made visible. `name` has the name itself."""
        if self.name:
            return visible(self.name)
        return gettext("Customer %(number)s") % {"number": f"{self.number:04d}"}

    @property
    def initial(self) -> str:
        """The letter for the avatar: a Chinese surname or a first letter."""
        return self.display_name[:1].upper()
