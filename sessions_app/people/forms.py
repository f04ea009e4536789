"""The sign-in form."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from sessions_app.people import login_throttle


class SignInForm(AuthenticationForm):
    """Django's form, with errors that help the user but do not reveal which names exist."""

    error_messages = {
        "invalid_login": _("Wrong username or password. Upper and lower case matter."),
        "too_many": _("Too many attempts. Try again in 15 minutes."),
        "inactive": _("Wrong username or password. Upper and lower case matter."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["username"].label = _("Username")
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"

    def clean(self) -> dict[str, Any]:
        """Ten wrong passwords for one name from one address; then nothing is looked at."""
        username = self.cleaned_data.get("username") or ""
        if not login_throttle.may_try(self.request, username):
            login_throttle.say_refused(self.request, username, "too many tries")
            raise ValidationError(self.error_messages["too_many"], code="too_many")
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError as error:
            login_throttle.say_refused(self.request, username, str(error.code or "refused"))
            raise
        if self.get_user() is not None:
            login_throttle.forget(self.request, username)
        return cleaned
