"""Columns for a user's personal preferences. Read them through `preferences.preferences_of`."""

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class SendKey(models.TextChoices):
    ENTER = "enter", _("Enter; Shift+Enter: new line")
    CTRL_ENTER = "ctrl_enter", _("Ctrl+Enter; Enter: new line")


class Undo(models.IntegerChoices):
    """The number of seconds in which a reply can be cancelled before it is sent."""

    OFF = 0, pgettext_lazy("taking a reply back", "Off: replies go at once")
    FIVE = 5, _("5 seconds")
    TEN = 10, _("10 seconds")


class Telling(models.TextChoices):
    """The conversations about which the user is notified."""

    MINE = "mine", _("Only those assigned to me")
    ALL = "all", _("All that I may read")
    NONE = "none", pgettext_lazy("telling", "None")


class Theme(models.TextChoices):
    SYSTEM = "system", _("As the system")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class Choices(models.Model):
    """Abstract base: the columns that users set for themselves."""

    send_key = models.CharField(
        _("key that sends"), max_length=12, choices=SendKey, default=SendKey.ENTER
    )
    undo_s = models.PositiveSmallIntegerField(
        _("time to take a reply back"), choices=Undo, default=Undo.OFF
    )
    shows_typing = models.BooleanField(_("customers see that I am typing"), default=True)
    sound = models.CharField(_("sound"), max_length=8, choices=Telling, default=Telling.ALL)
    volume = models.PositiveSmallIntegerField(
        _("volume"), default=60, validators=[MaxValueValidator(100)]
    )
    notifications = models.CharField(
        _("desktop notifications"), max_length=8, choices=Telling, default=Telling.MINE
    )
    shortcuts = models.BooleanField(_("keyboard shortcuts"), default=True)
    theme = models.CharField(_("appearance"), max_length=8, choices=Theme, default=Theme.SYSTEM)

    class Meta:
        abstract = True
