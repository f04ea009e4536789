"""The sign-in form, and a field that several forms of people have."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from sessions_app.people import login_throttle


def ends_tokens_field(label: str) -> forms.BooleanField:
    """Whether a new password ends the person's API tokens, too."""
    return forms.BooleanField(
        label=label,
        required=False,
        help_text=_("Do this if somebody else may know them. Programs that use them stop working."),
    )


class SignInForm(AuthenticationForm):
    """Django's form, with errors that help the user but do not reveal which names exist."""

    error_messages = {
        "invalid_login": _("Wrong username or password. Upper and lower case matter."),
        "inactive": _("Wrong username or password. Upper and lower case matter."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["username"].label = _("Username")
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"

    def clean(self) -> dict[str, Any]:
        """A refused try looks at no password."""
        username = self.cleaned_data.get("username") or ""
        try:
            with login_throttle.one_try(self.request, username):
                cleaned: dict[str, Any] = super().clean()
        except login_throttle.Refused as refused:
            raise ValidationError(refused.words, code="refused") from None
        except ValidationError as error:
            login_throttle.say_wrong(self.request, username, str(error.code or "refused"))
            raise
        if self.get_user() is not None:
            login_throttle.was_right(self.request, username)
        return cleaned
