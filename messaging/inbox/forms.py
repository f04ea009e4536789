"""Forms of the inbox."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from messaging.models.contact import NOTE_MOST


class NameForm(forms.Form):
    """A contact's name. An empty name removes it, so the contact's number is shown again."""

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        required=False,
        widget=forms.TextInput(
            attrs={
                "class": "input",
                "dir": "auto",
                "autocomplete": "off",
                "autofocus": True,
                "data-takes-focus": "",
            }
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})


class ContactNoteForm(forms.Form):
    """A team's note on a contact. `seen`: the note when the form was opened, to find conflicts."""

    note = forms.CharField(
        label=_("Note about this person"),
        max_length=NOTE_MOST,
        required=False,
        widget=forms.Textarea(
            attrs={
                "class": "input",
                "dir": "auto",
                "rows": 3,
                "autocomplete": "off",
                "autofocus": True,
                "data-takes-focus": "",
            }
        ),
    )
    seen = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
