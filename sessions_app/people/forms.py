"""The sign-in form."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext_lazy as _


class SignInForm(AuthenticationForm):
    """Django's own, with errors that say what to do and nothing about who exists."""

    error_messages = {
        "invalid_login": _(
            "That name and password do not fit together. Mind upper and lower case."
        ),
        "inactive": _("That name and password do not fit together. Mind upper and lower case."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["username"].label = _("Username")
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"
