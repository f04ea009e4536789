"""The form of a new API token."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sessions_app.people import tokens
from sessions_app.people.models import User
from sessions_app.people.tokens import Scope

SCOPE_WORDS = {
    Scope.READ: _("Read conversations, messages and accounts"),
    Scope.SEND: _("Send messages"),
    Scope.SESSIONS: _("Connect and manage accounts"),
    Scope.CONTACTS: _("Change contacts and conversations"),
    Scope.METRICS: _("Read the monitoring figures (/metrics)"),
}
EXPIRY = [
    ("30", _("After 30 days")),
    ("90", _("After 90 days")),
    ("365", _("After 365 days")),
    ("never", _("Never")),
]
DEFAULT_EXPIRY = "90"


class NewTokenForm(forms.Form):
    """Offers only the scopes with which a token of this user can do anything."""

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        help_text=_("What the token is for, for example “night script”."),
        widget=forms.TextInput({"class": "input", "autocomplete": "off"}),
        error_messages={"required": _("Enter a name.")},
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        help_text=_("A token can never do more than its owner."),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )
    expires = forms.ChoiceField(
        label=_("Expires"),
        choices=EXPIRY,
        initial=DEFAULT_EXPIRY,
        widget=forms.Select({"class": "input"}),
    )

    def __init__(self, data: Any = None, *, user: User) -> None:
        super().__init__(data, prefix="token", label_suffix="")
        scopes = self.fields["scopes"]
        assert isinstance(scopes, forms.ChoiceField)
        scopes.choices = [(one.value, SCOPE_WORDS[one]) for one in tokens.scopes_for(user)]

    @property
    def days(self) -> int | None:
        """How long the token is to be valid; None: until it is revoked."""
        chosen = self.cleaned_data["expires"]
        return None if chosen == "never" else int(chosen)

    def refuse(self, refused: tokens.IssueRefused) -> None:
        if isinstance(refused, tokens.NameTaken):
            self.add_error("name", _("You have a token with this name already."))
        else:
            words = _("You have %(most)d tokens, which is the most. Revoke one first.")
            self.add_error(None, words % {"most": tokens.MOST_TOKENS})
