"""The forms of `/account/`: personal preferences and the user's own password."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from sessions_app.people import login_throttle
from sessions_app.people.choice_models import SendKey, Telling, Theme, Undo
from sessions_app.people.forms import ends_tokens_field
from sessions_app.people.models import User
from sessions_app.people.preferences import NAMES, preferences_of
from sessions_app.people.zones import zone_choices


class RangeInput(forms.NumberInput):
    input_type = "range"


def _choice(label: Any, choices: Any, hint: Any = "") -> forms.ChoiceField:
    widget = forms.Select({"class": "input"})
    return forms.ChoiceField(label=label, choices=choices, help_text=hint, widget=widget)


class PreferencesForm(forms.Form):
    """All fields of `Preferences`, in the order of the page."""

    language = forms.ChoiceField(
        label=_("Language"), required=False, widget=forms.Select({"class": "input"})
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        widget=forms.Select({"class": "input", "translate": "no"}),
        help_text=_("All times are shown in this zone."),
    )
    theme = _choice(_("Appearance"), Theme.choices)
    send_key = _choice(
        _("Send with"), SendKey.choices, _("On a Mac, ⌘+Enter works like Ctrl+Enter.")
    )
    undo_s = forms.TypedChoiceField(
        label=_("Undo send"),
        choices=Undo.choices,
        coerce=int,
        widget=forms.Select({"class": "input"}),
        help_text=_("Wait before sending"),
    )
    shows_typing = forms.BooleanField(label=_("Customers see that I am typing"), required=False)
    sound = _choice(_("Sound of new messages"), Telling.choices)
    volume = forms.IntegerField(
        label=_("Volume"),
        min_value=0,
        max_value=100,
        widget=RangeInput({"class": "range", "step": 5}),
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), _("A whole number from 0 to 100.")
        ),
    )
    notifications = _choice(
        _("Desktop notifications"),
        Telling.choices,
        _(
            "Not for the conversation you are viewing, or for messages that arrive more than "
            "10 minutes late."
        ),
    )
    shortcuts = forms.BooleanField(
        label=_("Single-key shortcuts"),
        required=False,
        help_text=_("Press ? on any page to see them. Ctrl+K (⌘+K) always works."),
    )

    def __init__(self, data: Any = None, *, user: User) -> None:
        mine = preferences_of(user)
        initial = {name: getattr(mine, name) for name in NAMES}
        super().__init__(data, initial=initial, label_suffix="")
        browsers = ("", gettext("Browser default"))
        self._offer("language", [browsers, *settings.LANGUAGES])
        self._offer("time_zone", [browsers, *self._zones(mine.time_zone)])

    def _offer(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def _zones(self, kept: str) -> list[Any]:
        """The zones to choose from. The current one is added if it is not among them."""
        offered = zone_choices()
        known = {name for _region, zones in offered for name, _words in zones}
        return offered if not kept or kept in known else [(kept, kept), *offered]

    def chosen(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.changed_data}


MISMATCH = _("The two new passwords differ.")


class OwnPasswordForm(PasswordChangeForm):
    """Django's own; the old password may be tried as often as at the login, no more.

    `token_count`: how many API tokens of the user work. The form asks whether to revoke them.
    """

    error_messages = {
        **PasswordChangeForm.error_messages,
        "password_incorrect": _("This is not your current password."),
        "password_mismatch": MISMATCH,
    }

    def __init__(self, request: HttpRequest, data: Any = None, *, token_count: int = 0) -> None:
        assert isinstance(request.user, User)
        super().__init__(request.user, data)
        self.request = request
        self.label_suffix = ""
        self.fields["old_password"].label = _("Current password")
        self.fields["old_password"].widget.attrs["class"] = "input"
        self.fields["old_password"].widget.attrs.pop("autofocus", None)
        name_new_passwords(self)
        if token_count:
            words = ngettext(
                "Revoke my API token, too",
                "Revoke my %(count)d API tokens, too",
                token_count,
            )
            self.fields["ends_tokens"] = ends_tokens_field(words % {"count": token_count})

    def clean_old_password(self) -> str:
        name = self.user.get_username()
        try:
            with login_throttle.one_try(self.request, name):
                password: str = super().clean_old_password()
        except login_throttle.Refused as refused:
            raise ValidationError(refused.words, code="refused") from None
        login_throttle.was_right(self.request, name)
        return password


class NewPasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    """For a user who must choose a password and has just signed in with the current one."""

    error_messages = {"password_mismatch": MISMATCH}

    def __init__(self, user: User, data: Any = None) -> None:
        super().__init__(user, data)
        self.label_suffix = ""
        name_new_passwords(self)
        self.fields["new_password1"].widget.attrs["autofocus"] = True

    def clean_new_password1(self) -> str:
        password: str = self.cleaned_data["new_password1"]
        if self.user.check_password(password):
            raise ValidationError(_("Choose another password than your current one."))
        return password


def name_new_passwords(form: forms.Form) -> None:
    """Labels and hints of the two fields for a new password."""
    labels = {"new_password1": _("New password"), "new_password2": _("New password again")}
    for name, label in labels.items():
        form.fields[name].label = label
        form.fields[name].widget.attrs["class"] = "input"
    form.fields["new_password1"].help_text = _(
        "8 characters or more; not a common word, not only digits, not like your name."
    )
    form.fields["new_password2"].help_text = ""
