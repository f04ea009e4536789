"""The forms of `/settings/`: the team's numbers, each with its range, and its introduction."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sessions_app.team_settings.introductions import Introduction
from sessions_app.team_settings.limits import TeamSettings, as_values


def _words_for_bounds(low: str, high: str) -> str:
    return gettext("A whole number from %(low)s to %(high)s.") % {"low": low, "high": high}


def _words_for_days(low: str, high: str) -> str:
    return gettext("0 for no limit, or a whole number from %(low)s to %(high)s.") % {
        "low": low,
        "high": high,
    }


# Lazy, so that the language is the reader's and not the one at import.
_bounds = lazy(_words_for_bounds, str)
_day_bounds = lazy(_words_for_days, str)


class NumberField(forms.IntegerField):
    """A whole number in a range. Every error has the same message, which states the range."""

    def __init__(
        self, low: int, high: int, *, unit: Any, label: Any, help_text: Any, words: Any = None
    ) -> None:
        """`words`: what every error says; by default the range."""
        words = words or _bounds(f"{low:,}", f"{high:,}")
        said = dict.fromkeys(("required", "invalid", "min_value", "max_value"), words)
        super().__init__(
            min_value=low,
            max_value=high,
            label=label,
            help_text=help_text,
            error_messages=said,
            # Keeps the original value, so that a colleague's concurrent change of another number is
            # kept.
            show_hidden_initial=True,
            widget=forms.NumberInput({"class": "input"}),
        )
        self.unit = unit


class DaysField(NumberField):
    """How many days something is kept: at least `LEAST_DAYS`, or 0, which is for ever.

    No reply window is longer than the least, so nothing goes that may still be answered.
    """

    LEAST_DAYS, MOST_DAYS = 7, 3_650

    def __init__(self, *, label: Any, help_text: Any) -> None:
        words = _day_bounds(f"{self.LEAST_DAYS:,}", f"{self.MOST_DAYS:,}")
        super().__init__(
            0, self.MOST_DAYS, unit=_("days"), label=label, help_text=help_text, words=words
        )

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is not None and 0 < value < self.LEAST_DAYS:
            raise forms.ValidationError(self.error_messages["min_value"])


@dataclass(frozen=True, slots=True)
class Section:
    """A group of fields under one heading."""

    title: Any
    key: str
    fields: list[BoundField]


class TeamSettingsForm(forms.Form):
    """All fields of `TeamSettings`, in the order of the page."""

    window_hours = NumberField(
        1, 168, unit=_("hours"), label=_("Reply window"),
        help_text=_("How long WeChat accepts replies after a person's last message."),
    )  # fmt: skip
    replies_per_token = NumberField(
        1, 100, unit=_("replies"), label=_("Replies per message"),
        help_text=_("How many replies WeChat accepts until the person writes again."),
    )  # fmt: skip
    pace_count = NumberField(
        1, 100, unit=_("replies"), label=_("Rate limit: messages"),
        help_text=_("WeChat accepts this many replies to one person within the time below. More "
"must wait."),
    )  # fmt: skip
    pace_minutes = NumberField(
        1, 60, unit=_("minutes"), label=_("Rate limit: per minutes"),
        help_text=_("A reply over the limit waits and shows when it will be sent."),
    )  # fmt: skip
    warn_characters = NumberField(
        100, 16_384, unit=_("characters"), label=_("Warn about long texts"),
        help_text=_("Phones may cut off longer texts. The composer offers to split them."),
    )  # fmt: skip
    park_days = NumberField(
        1, 90, unit=_("days"), label=_("Replies to send when they write"),
        help_text=_("How long such a reply waits for the person to write."),
    )  # fmt: skip
    qr_minutes = NumberField(
        1, 5, unit=_("minutes"), label=_("New QR code after"),
        help_text=_("After this time a code that nobody scanned is replaced."),
    )  # fmt: skip
    picture_mb = NumberField(
        1, 1_000, unit="MB", label=_("Largest picture"),
        help_text=_("Larger pictures are refused before sending."),
    )  # fmt: skip
    voice_mb = NumberField(
        1, 1_000, unit="MB", label=_("Largest voice message"),
        help_text=_("Larger voice messages are not downloaded."),
    )  # fmt: skip
    video_mb = NumberField(
        1, 4_000, unit="MB", label=_("Largest video"),
        help_text=_("Sent and received"),
    )  # fmt: skip
    file_mb = NumberField(
        1, 4_000, unit="MB", label=_("Largest file"),
        help_text=_("Sent and received"),
    )  # fmt: skip
    total_gb = NumberField(
        1, 100_000, unit="GB", label=_("All media together"),
        help_text=_("Disk space for pictures, voice, videos and files."),
    )  # fmt: skip
    message_days = DaysField(
        label=_("Keep messages"),
        help_text=_("Older messages are deleted for good, with their files, notes and events. 0 "
"keeps them for ever. Whatever waits for an agent stays."),
    )  # fmt: skip
    media_days = DaysField(
        label=_("Keep files"),
        help_text=_("Older pictures, voice messages, videos and files are deleted, their messages "
"stay. 0 keeps them until the disk space above is used up."),
    )  # fmt: skip
    raw_days = NumberField(
        1, 3_650, unit=_("days"), label=_("Keep WeChat's raw answers"),
        help_text=_("Encrypted copies of what WeChat sent, for finding errors. No page shows them. "
"A file that is not here by then can't be fetched again."),
    )  # fmt: skip
    api_requests_per_minute = NumberField(
        10, 1_000_000, unit=_("requests"), label=_("Requests per minute"),
        help_text=_("Per token. Further requests are answered with 429 until the minute is over."),
    )  # fmt: skip

    SECTIONS = (
        (
            _("Replies"), "replies",
            ("window_hours", "replies_per_token", "pace_count", "pace_minutes", "warn_characters",
             "park_days"),
        ),
        (_("Scanning"), "scanning", ("qr_minutes",)),
        (
            _("Pictures, voice, videos and files"), "media",
            ("picture_mb", "voice_mb", "video_mb", "file_mb", "total_gb"),
        ),
        (_("How long data is kept"), "kept", ("message_days", "media_days", "raw_days")),
        (_("Programs"), "programs", ("api_requests_per_minute",)),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, current: TeamSettings) -> None:
        super().__init__(data, initial=as_values(current), label_suffix="")

    def sections(self) -> Iterator[Section]:
        for title, key, names in self.SECTIONS:
            yield Section(title, key, [self[name] for name in names])

    def wanted(self) -> dict[str, int]:
        """Only the values that this user changed."""
        return {name: self.cleaned_data[name] for name in self.changed_data}


class IntroductionForm(forms.Form):
    """How a team introduces itself on the pages of invitations and scan links."""

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        required=False,
        help_text=_("Empty: the name that members see."),
        widget=forms.TextInput({"class": "input", "dir": "auto", "autocomplete": "off"}),
    )
    text = forms.CharField(
        label=_("Text"),
        max_length=500,
        required=False,
        help_text=_("Who you are, and what people can write to you about."),
        widget=forms.Textarea({"class": "input", "dir": "auto", "rows": 4}),
    )
    logo = forms.FileField(
        label=_("Logo"),
        required=False,
        help_text=_("A picture, best a square one. It is shown small."),
        widget=forms.FileInput({"class": "input", "accept": "image/png,image/jpeg,image/webp"}),
    )
    removes_logo = forms.BooleanField(label=_("Remove the logo"), required=False)

    def __init__(self, data: Any = None, files: Any = None, *, current: Introduction) -> None:
        given = {"name": current.own_name, "text": current.text}
        super().__init__(data, files, initial=given, label_suffix="")
        if not current.logo_url:
            del self.fields["removes_logo"]
