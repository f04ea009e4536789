"""The filters of the audit log, as the address has them."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sessions_app.audit import queries
from sessions_app.audit.queries import Filters
from sessions_app.audit.sentences import KINDS, SECTIONS
from sessions_app.text.unseen import visible

BIGGEST_ID = 2**63 - 1


def _select(label: Any) -> forms.ChoiceField:
    widget = forms.Select({"class": "input"})
    return forms.ChoiceField(label=label, required=False, widget=widget)


def _day(label: Any) -> forms.DateField:
    widget = forms.DateInput({"class": "input", "type": "date"}, format="%Y-%m-%d")
    wrong = {"invalid": _("A date such as 2026-11-30.")}
    return forms.DateField(label=label, required=False, widget=widget, error_messages=wrong)


class FilterForm(forms.Form):
    """Values that are no choices, such as an action of a later release, are errors."""

    text = forms.CharField(
        label=_("Search for a name"),
        required=False,
        max_length=80,
        widget=forms.TextInput({"class": "input", "type": "search"}),
    )
    person = _select(_("Person"))
    action = _select(_("Action"))
    team = _select(_("Team"))
    kind = _select(_("Object"))
    since = _day(_("From"))
    until = _day(_("To"))
    about = forms.RegexField(
        r"^[a-z_]{1,20}:[^\0]{1,64}$", required=False, widget=forms.HiddenInput
    )

    def __init__(self, data: Any, *, teams: dict[int, str]) -> None:
        super().__init__(data, label_suffix="", auto_id="filter_%s")
        self._offer("person", list(queries.people()), gettext("Everybody"))
        self._offer("team", sorted(teams.items(), key=lambda one: one[1]), gettext("All teams"))
        self._offer("kind", list(KINDS.items()), gettext("Everything"))
        actions = [
            (title, [(action.value, label) for action, label, _sentence in rows])
            for title, rows in SECTIONS
        ]
        self._offer("action", actions, gettext("All actions"))
        self._keep_person_who_is_gone()

    def _offer(self, name: str, choices: list[Any], for_all: str) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        shown = [
            (key, visible(words) if isinstance(words, str) else words) for key, words in choices
        ]
        field.choices = [("", for_all), *shown]

    def _keep_person_who_is_gone(self) -> None:
        """Their rows lead here; the list of people does not name them any more."""
        chosen = self.data.get("person", "")
        field = self.fields["person"]
        assert isinstance(field, forms.ChoiceField)
        is_id = chosen.isdecimal() and chosen.isascii() and int(chosen) <= BIGGEST_ID
        if is_id and not field.valid_value(chosen) and (name := queries.last_name_of(int(chosen))):
            offered: Any = field.choices
            field.choices = [*offered, (chosen, visible(name))]

    def filters(self) -> Filters:
        """Call it when the form is valid."""
        values = dict(self.cleaned_data)
        for name in ("person", "team"):
            values[name] = int(values[name]) if values[name] else None
        return Filters(**values)
