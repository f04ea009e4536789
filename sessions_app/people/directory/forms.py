"""The forms of `/people/`, and of the pages behind one-time links."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.auth.forms import SetPasswordForm
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sessions_app.people.account.forms import MISMATCH, name_new_passwords
from sessions_app.people.directory import links, services
from sessions_app.people.directory.errors import NameTaken
from sessions_app.people.directory.queries import ACTIVE, DISABLED, WITH_LINK, Filters
from sessions_app.people.directory.role_words import ROLE_HINTS, ROLE_WORDS, assigned_roles
from sessions_app.people.forms import ends_tokens_field
from sessions_app.people.models import Team, User
from sessions_app.people.roles import Role
from sessions_app.text.unseen import visible

NAME_LENGTH = 150
TEAM_LENGTH = 80
"""Those of the columns."""


class TeamsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Checkboxes with the teams' names, invisible characters made visible."""

    def label_from_instance(self, team: Team) -> str:
        return visible(team.name)


def _text(label: Any, hint: Any = "", **attrs: Any) -> forms.CharField:
    widget = forms.TextInput({"class": "input", "autocomplete": "off", **attrs})
    return forms.CharField(label=label, max_length=NAME_LENGTH, help_text=hint, widget=widget)


def _name_field(hint: Any = "", **attrs: Any) -> forms.CharField:
    return _text(pgettext_lazy("of a person", "Name"), hint, dir="auto", **attrs)


def _username_field() -> forms.CharField:
    return _text(
        _("Username"),
        _("To sign in with: letters, digits and @ . + - _ only."),
        autocapitalize="none",
        spellcheck="false",
        translate="no",
    )


def _clean_username(username: str) -> str:
    """Raises ValidationError for a name that cannot be, or that somebody has."""
    username = User.normalize_username(username)
    User.username_validator(username)
    if services.is_taken(username):
        raise ValidationError(NameTaken.words, code="taken")
    return username


class RightsForm(forms.Form):
    """Which roles, and in which teams."""

    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        choices=[(role.value, ROLE_WORDS[role]) for role in Role],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )
    teams = TeamsField(
        label=_("Teams"),
        queryset=Team.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("What the roles allow is allowed in these teams; to administrators, in all."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        teams = self.fields["teams"]
        assert isinstance(teams, TeamsField)
        teams.queryset = Team.objects.all()
        if Team.objects.count() == 1:
            teams.initial = list(Team.objects.values_list("pk", flat=True))

    @property
    def role_boxes(self) -> Iterable[tuple[Any, Any]]:
        """Each checkbox of a role with what the role allows."""
        return zip(self["roles"], [ROLE_HINTS[role] for role in Role], strict=True)

    def clean_roles(self) -> list[Role]:
        return [role for role in Role if role in self.cleaned_data["roles"]]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        is_everywhere = Role.ADMINISTRATOR in cleaned.get("roles", [])
        if not is_everywhere and "teams" in cleaned and not cleaned["teams"]:
            self.add_error("teams", gettext("Choose at least one."))
        return cleaned


def _day_choices() -> list[tuple[int, str]]:
    return [
        (days, ngettext("%(count)d day", "%(count)d days", days) % {"count": days})
        for days in links.DAYS
    ]


def _days_field() -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=_("The link works for"),
        choices=_day_choices,
        coerce=int,
        initial=links.DEFAULT_DAYS,
        widget=forms.Select({"class": "input"}),
    )


class AddForm(RightsForm):
    """A new person. They choose their password by a link."""

    username = _username_field()
    name = _name_field(_("As colleagues see it."))
    days = _days_field()
    field_order = ("username", "name", "roles", "teams", "days")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget.attrs["data-takes-focus"] = ""

    def clean_username(self) -> str:
        return _clean_username(self.cleaned_data["username"])


class InviteForm(RightsForm):
    """An invitation: what the invited person will be allowed to do is fixed here."""

    days = _days_field()


class PersonForm(RightsForm):
    """Name, roles and teams of a person. `seen`: what they were when the page was drawn."""

    name = _name_field()
    seen = forms.CharField(widget=forms.HiddenInput)
    field_order = ("name", "roles", "teams", "seen")

    def __init__(self, data: Any = None, *, person: User) -> None:
        initial = {
            "name": person.get_full_name(),
            "roles": [role.value for role in assigned_roles(person)],
            "teams": [team.pk for team in person.teams.all()],
            "seen": services.fingerprint(person),
        }
        super().__init__(data, initial=initial)


class LinkForm(forms.Form):
    """A new password link. `token_count`: how many API tokens of the person work."""

    days = _days_field()

    def __init__(self, data: Any = None, *, token_count: int) -> None:
        super().__init__(data, label_suffix="")
        if token_count:
            words = ngettext(
                "Revoke their API token, too",
                "Revoke their %(count)d API tokens, too",
                token_count,
            )
            self.fields["ends_tokens"] = ends_tokens_field(words % {"count": token_count})


class TeamForm(forms.Form):
    """A team's name."""

    name = _text(_("Name"), dir="auto")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        field = self.fields["name"]
        field.validators.append(MaxLengthValidator(TEAM_LENGTH))
        field.widget.attrs |= {"maxlength": TEAM_LENGTH, "data-takes-focus": ""}


class FilterForm(forms.Form):
    """What the list shows. A value that is not offered counts as not chosen."""

    q = forms.CharField(
        label=pgettext_lazy("page of people", "Find a person"),
        required=False,
        max_length=NAME_LENGTH,
        widget=forms.TextInput(
            {"class": "input", "type": "search", "dir": "auto", "autocomplete": "off"}
        ),
    )
    role = forms.ChoiceField(
        label=_("Role"), required=False, widget=forms.Select({"class": "input"})
    )
    team = forms.ModelChoiceField(
        label=_("Team"),
        queryset=Team.objects.none(),
        required=False,
        empty_label=_("All teams"),
        widget=forms.Select({"class": "input", "dir": "auto"}),
    )
    state = forms.ChoiceField(
        label=_("State"), required=False, widget=forms.Select({"class": "input"})
    )

    def __init__(self, data: Any) -> None:
        super().__init__(data, label_suffix="", auto_id="find_%s")
        roles = [(role.value, str(ROLE_WORDS[role])) for role in Role]
        states = [
            (ACTIVE, gettext("Active")),
            (DISABLED, gettext("Disabled")),
            (WITH_LINK, gettext("Password link open")),
        ]
        self._offer("role", [("", gettext("All roles")), *roles])
        self._offer("state", [("", gettext("All states")), *states])
        team = self.fields["team"]
        assert isinstance(team, forms.ModelChoiceField)
        team.queryset = Team.objects.all()

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def filters(self) -> Filters:
        self.is_valid()
        found = self.cleaned_data
        team = found.get("team")
        return Filters(
            search=found.get("q", ""),
            role=found.get("role", ""),
            team=team.pk if team is not None else None,
            state=found.get("state", ""),
        )


class ChosenPasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    """A password that the person behind a link chooses."""

    error_messages = {"password_mismatch": MISMATCH}

    def __init__(self, user: User, data: Any = None) -> None:
        super().__init__(user, data)
        self.label_suffix = ""
        name_new_passwords(self)
        self.fields["new_password1"].label = _("Password")
        self.fields["new_password2"].label = _("Password again")


class JoinForm(ChosenPasswordForm):
    """What an invited person chooses: username, name and password."""

    username = _username_field()
    name = _name_field(_("As colleagues see it."))
    field_order = ("username", "name", "new_password1", "new_password2")

    def __init__(self, data: Any = None) -> None:
        super().__init__(User(), data)
        self.fields["username"].widget.attrs["autocomplete"] = "username"
        self.fields["name"].widget.attrs["autocomplete"] = "name"

    def clean_username(self) -> str:
        """The password must not be like it, so it is set before the passwords are looked at."""
        self.user.username = _clean_username(self.cleaned_data["username"])
        return str(self.user.username)

    def clean_name(self) -> str:
        self.user.first_name = self.cleaned_data["name"]
        return str(self.user.first_name)

    def refuse_name(self) -> None:
        """Somebody took the username at the same moment."""
        self.add_error("username", str(NameTaken.words))
