"""Contacts: people on WeChat, and what each team calls them and notes about them.

WeChat sends no name or picture, so a contact gets a number and a colour.
"""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sessions_app.models import Team

NAME_MOST = 80
"""Longest name that a team may give a contact, in characters."""
NOTE_MOST = 2_000
"""Longest note that a team may keep about a contact, in characters."""


class Contact(models.Model):
    """One person on WeChat, known by the WeChat id. Holds nothing that a member wrote.

    `folded`: the number and the WeChat id as searches compare them, see `finding.folded_contact`.
    """

    user_id = models.CharField(_("WeChat id"), max_length=200, unique=True)
    number = models.PositiveIntegerField(_("number"), unique=True)
    folded = models.CharField(_("folded for searching"), max_length=700, blank=True, editable=False)
    colour = models.PositiveSmallIntegerField(_("colour"), default=0)
    created_at = models.DateTimeField(_("first seen"), default=timezone.now)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")

    def __str__(self) -> str:
        return self.number_name

    @property
    def number_name(self) -> str:
        """What a contact is called whom the reader's team has not named."""
        return gettext("Customer %(number)s") % {"number": f"{self.number:04d}"}


class TeamContact(models.Model):
    """What one team calls a contact and notes about them. No other team sees it.

    There is no row until a member writes a name or a note. `folded`: the name as searches compare
    it; update it whenever the name changes.
    """

    # No index of its own: the one of the constraint below starts with it.
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="team_contacts", db_index=False
    )
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=NAME_MOST, blank=True)
    note = models.TextField(_("note"), max_length=NOTE_MOST, blank=True)
    folded = models.CharField(_("folded for searching"), max_length=700, blank=True, editable=False)

    class Meta:
        verbose_name = _("contact of a team")
        verbose_name_plural = _("contacts of teams")
        constraints = [
            models.UniqueConstraint(fields=["contact", "team"], name="once_per_contact_and_team")
        ]

    def __str__(self) -> str:
        return self.name or str(self.contact)
