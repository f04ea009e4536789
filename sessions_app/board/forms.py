"""Forms of the session pages. The rules for names are in `names`."""

import unicodedata
from typing import Any

from django import forms
from django.utils.functional import lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from sessions_app.board.queries import teams_for_new_session
from sessions_app.invitations.invitations import DAYS, USUAL_DAYS
from sessions_app.models import Team
from sessions_app.people.roles import Visitor
from sessions_app.sessions import reasons
from sessions_app.sessions.names import BadSessionName, clean_session_name


def _words_for_days(days: int) -> str:
    words = ngettext("After %(days)d day", "After %(days)d days", days)
    return words % {"days": days}


# Lazy, so that the language is the reader's and not the one at import.
_after = lazy(_words_for_days, str)


class SessionNameField(forms.CharField):
    """Does not strip spaces, so that the error can mention them."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {
            "class": "input",
            "dir": "auto",
            "autofocus": True,
            "autocomplete": "off",
            "data-takes-focus": "",
        }
        super().__init__(strip=False, required=False, widget=forms.TextInput(attrs), **kwargs)

    def clean(self, value: Any) -> str:
        """Skip the validators of CharField: `clean_session_name` has a message for each fault."""
        try:
            return clean_session_name(self.to_python(value) or "")
        except BadSessionName as problem:
            raise forms.ValidationError(reasons.name_problem(problem)) from problem


class AddSessionForm(forms.Form):
    """A name, and a team if the user has more than one."""

    name = SessionNameField(label=_("Name"), help_text=_("For example, “Shop A · 小店”."))
    team = forms.ModelChoiceField(label=_("Team"), queryset=Team.objects.none(), empty_label=None)

    def __init__(self, *args: Any, user: Visitor, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        teams = teams_for_new_session(user)
        team = self.fields["team"]
        assert isinstance(team, forms.ModelChoiceField)
        team.queryset = teams
        team.widget.attrs["class"] = "input"
        mine = list(teams[:2])
        if len(mine) == 1:
            team.widget = forms.HiddenInput()
            team.initial = mine[0].pk


class InvitationForm(forms.Form):
    """A name prefix, a team, a label, an expiry, and limits on the number of people."""

    name_prefix = SessionNameField(
        label=_("Name prefix"), help_text=_("Visitors become “… 0001”, “… 0002”.")
    )
    label = forms.CharField(
        label=_("Label"), max_length=80, required=False, widget=forms.TextInput({"dir": "auto"})
    )
    team = forms.ModelChoiceField(label=_("Team"), queryset=Team.objects.none(), empty_label=None)
    days = forms.TypedChoiceField(
        label=_("Expires"),
        choices=[(days, _after(days)) for days in DAYS],
        coerce=int,
        required=False,
        initial=USUAL_DAYS,
    )
    per_hour = forms.IntegerField(
        label=_("Codes per hour"),
        min_value=1,
        max_value=1_000,
        initial=20,
        help_text=_("One network, such as a shop's Wi-Fi, gets at most a quarter of them."),
    )
    in_all = forms.IntegerField(
        label=_("Maximum number of people"), min_value=1, max_value=100_000, initial=200
    )

    def __init__(self, *args: Any, user: Visitor, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        team = self.fields["team"]
        assert isinstance(team, forms.ModelChoiceField)
        team.queryset = teams_for_new_session(user)
        for field in self.fields.values():
            field.widget.attrs.setdefault("class", "input")
        self.fields["name_prefix"].widget.attrs["maxlength"] = 50
        del self.fields["name_prefix"].widget.attrs["autofocus"]

    def clean_days(self) -> int:
        return self.cleaned_data["days"] or USUAL_DAYS

    def clean_name_prefix(self) -> str:
        prefix = str(self.cleaned_data["name_prefix"])
        if len(prefix) > 50:
            raise forms.ValidationError(gettext("At most 50 characters: a number follows."))
        return prefix


class RenameForm(forms.Form):
    new_name = SessionNameField(label=_("New name"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})


class DeleteForm(forms.Form):
    """Asks for the session's name again, because it is easy to pick the wrong row."""

    name = forms.CharField(
        label=_("Account name"),
        required=False,
        strip=False,
        widget=forms.TextInput(
            attrs={"class": "input", "dir": "auto", "autocomplete": "off", "data-takes-focus": ""}
        ),
    )

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        self.expected = expected

    def clean_name(self) -> str:
        typed = unicodedata.normalize("NFC", str(self.cleaned_data["name"]))
        if typed != self.expected:
            raise forms.ValidationError(gettext("The name does not match."))
        return typed
