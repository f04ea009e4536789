"""Users of the console, their teams, browsers, API tokens and password links.

Roles are groups, see `roles`.
"""

from django.contrib.auth.models import AbstractUser
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.database.browser_keys import SessionStore
from sessions_app.people.choice_models import Choices
from sessions_app.text.unseen import visible

EVERYONE = "Everyone"


class Team(models.Model):
    """People who share sessions and conversations. The first migration creates "Everyone"."""

    name = models.CharField(_("name"), max_length=80, unique=True)

    class Meta:
        app_label = "sessions_app"
        ordering = ["name"]
        verbose_name = _("team")
        verbose_name_plural = _("teams")

    def __str__(self) -> str:
        return visible(self.name)

    @property
    def stream_key(self) -> str:
        return f"team:{self.pk}"


class User(Choices, AbstractUser):
    """A person with a login. Groups decide what the user may do, teams decide where."""

    teams = models.ManyToManyField(
        Team, related_name="members", blank=True, verbose_name=_("teams")
    )
    language = models.CharField(
        _("language"),
        max_length=12,
        blank=True,
        choices=[("en", "English"), ("zh-hans", "简体中文")],
        help_text=_("Empty: the browser's."),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        help_text=_("As in “Asia/Shanghai”. Empty: the browser's."),
    )
    must_change_password = models.BooleanField(
        _("must choose a new password"),
        default=False,
        help_text=_("Nothing else can be opened before that."),
    )

    class Meta(AbstractUser.Meta):
        app_label = "sessions_app"
        ordering = ["username"]

    @property
    def display_name(self) -> str:
        """The name to display, with invisible characters made visible."""
        return visible(self.get_full_name() or self.username)

    @property
    def stream_key(self) -> str:
        return f"user:{self.pk}"


class SignedInBrowser(AbstractBaseSession):
    """The login of one browser: the row that the session engine reads, see `browser_keys`.

    `session_key` is a digest of the browser's key. `browser`: its User-Agent header. `seen_at` is
    written about once a minute. Rows without a user belong to visitors who are not signed in.
    """

    user = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        related_name="browsers",
        verbose_name=_("user"),
        null=True,
        blank=True,
    )
    browser = models.CharField(_("browser"), max_length=300, blank=True)
    address = models.CharField(_("address"), max_length=64, blank=True)
    signed_in_at = models.DateTimeField(_("signed in"), default=timezone.now)
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now)

    class Meta:
        app_label = "sessions_app"
        verbose_name = _("signed-in browser")
        verbose_name_plural = _("signed-in browsers")

    def __str__(self) -> str:
        return f"{self.address} {self.seen_at:%Y-%m-%d %H:%M}"

    @classmethod
    def get_session_store_class(cls) -> type[SessionStore]:
        return SessionStore


class ApiToken(models.Model):
    """A token for the HTTP API that acts as its owner.

    Only its SHA-256 digest is stored, see `tokens`. `tail`: the last four characters of the secret,
    to recognise it by.
    """

    owner = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="api_tokens", verbose_name=_("owner")
    )
    name = models.CharField(_("name"), max_length=80)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    tail = models.CharField(_("ends with"), max_length=4)
    scopes = models.JSONField(_("scopes"), default=list, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    expires_at = models.DateTimeField(_("good until"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        app_label = "sessions_app"
        ordering = ["owner", "name", "pk"]
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return f"{self.name} (…{self.tail})"

    def allows(self, scope: str) -> bool:
        return not self.scopes or scope in self.scopes


class PersonLink(models.Model):
    """A one-time address at which a person chooses a password. Only the code's digest is stored.

    A password link is for `person`. An invitation is for whoever has it: they choose their own
    username, and get `roles` and `teams`; `person` is who came. `directory.links` writes the rows.
    """

    digest = models.CharField(max_length=64, unique=True, editable=False)
    is_invitation = models.BooleanField(_("invitation"), default=False)
    person = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        related_name="person_links",
        verbose_name=_("person"),
        null=True,
        blank=True,
    )
    roles = models.JSONField(_("roles"), default=list, blank=True)
    teams = models.ManyToManyField(Team, related_name="+", blank=True, verbose_name=_("teams"))
    made_by = models.ForeignKey(
        User,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("made by"),
        null=True,
        blank=True,
    )
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    expires_at = models.DateTimeField(_("good until"))
    used_at = models.DateTimeField(_("used"), null=True, blank=True)
    ended_at = models.DateTimeField(_("revoked or replaced"), null=True, blank=True)

    class Meta:
        app_label = "sessions_app"
        ordering = ["-created_at", "-pk"]
        verbose_name = _("password link")
        verbose_name_plural = _("password links")

    def __str__(self) -> str:
        return f"{self.person_id or _('invitation')} {self.created_at:%Y-%m-%d %H:%M}"


class ThrottleCount(models.Model):
    """The level of one bucket. Written by `throttle` alone; rows end by themselves."""

    name = models.CharField(_("digest of what is counted"), max_length=64, primary_key=True)
    full_at = models.FloatField(_("full at, seconds since 1970"), db_index=True)
    taken = models.PositiveIntegerField(_("taken since"))

    class Meta:
        app_label = "sessions_app"
        verbose_name = _("count of tries")
        verbose_name_plural = _("counts of tries")

    def __str__(self) -> str:
        return self.name[:8]
