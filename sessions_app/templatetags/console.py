"""Small pieces of markup that templates use: icons, pictures, times.

It is a builtin of all templates. It must never query the database.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Protocol

from django import template
from django.contrib.staticfiles.storage import StaticFilesStorage, staticfiles_storage
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext, pgettext

from sessions_app.models import ACCOUNT_COLOURS
from sessions_app.text.unseen import apart, visible
from sessions_app.text.wall_time import comes_twice

register = template.Library()

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400

# Django's Chinese has only the long 星期二. Named here, so that our catalogue can say 周二.
_WEEKDAYS = (
    gettext_noop("Mon"),
    gettext_noop("Tue"),
    gettext_noop("Wed"),
    gettext_noop("Thu"),
    gettext_noop("Fri"),
    gettext_noop("Sat"),
    gettext_noop("Sun"),
)


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """A lucide icon from the sprite, hidden from screen readers. The control has the text."""
    return _icon(name, extra, _sprite(staticfiles_storage))


@lru_cache(maxsize=2)
def _sprite(storage: StaticFilesStorage) -> str:
    """The sprite's hashed URL. Cached, because looking it up for a hundred icons is slow."""
    return str(storage.url("icons.svg"))


@lru_cache(maxsize=512)
def _icon(name: str, extra: str, sprite: str) -> SafeString:
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="{}#{}"/></svg>', extra, sprite, name
    )


@register.filter("visible")
def visible_name(name: object) -> str:
    """A name with invisible characters made visible. The surrounding markup isolates it."""
    return visible(str(name))


@register.filter
def visible_lines(text: object) -> str:
    """Text that somebody wrote, with its line breaks."""
    return visible(str(text), keeps_lines=True)


@register.filter("apart")
def apart_name(name: object) -> str:
    """A name within a translated sentence."""
    return apart(str(name))


@register.filter
def hue(colour: int) -> str:
    """The css class of one of the eight account colours."""
    return f"hue-{colour % ACCOUNT_COLOURS}"


@register.simple_tag
def swatch(colour: int) -> SafeString:
    """An account's colour as a small square. Its name is always beside it."""
    return format_html('<span class="swatch {}" aria-hidden="true"></span>', hue(colour))


@register.simple_tag
def picture(initial: str, colour: int, size: str = "") -> SafeString:
    """A coloured letter instead of a picture, because the wire has no pictures of people."""
    return format_html(
        '<span class="picture {} {}" aria-hidden="true">{}</span>', hue(colour), size, initial
    )


class Chip(Protocol):
    """`share`: the filled part of a ring in percent.

    `since`: the page counts up from this moment. `marks`: the data attributes by which the page
    counts down.
    """

    @property
    def words(self) -> str: ...
    @property
    def tone(self) -> str: ...
    @property
    def share(self) -> int | None: ...
    @property
    def icon(self) -> str: ...
    @property
    def since(self) -> datetime | None: ...
    @property
    def hue(self) -> int | None: ...
    @property
    def presence(self) -> bool: ...
    @property
    def marks(self) -> SafeString: ...


@register.simple_tag
def chip(one: Chip) -> SafeString:
    """A small fact in a row. Lists show hundreds, so each is one string instead of a template."""
    mark = SafeString("")
    if one.share is not None:
        mark = format_html(_RING, one.share)
    elif one.icon:
        mark = icon(one.icon)
    elif one.hue is not None:
        mark = swatch(one.hue)
    words: str = visible(one.words)
    if one.since is not None:
        seconds = int(one.since.timestamp())
        words = format_html('<span data-waiting-since="{}">{}</span>', seconds, words)
    elif one.marks:
        words = format_html("<span data-window-words>{}</span>", words)
    elif mark and one.share is None:
        words = format_html('<span class="cut" dir="auto">{}</span>', words)
    attribute = SafeString(" data-presence") if one.presence else ""
    return format_html(
        '<span class="chip {}"{}{}>{}{}</span>', one.tone, attribute, one.marks, mark, words
    )


_RING = (
    '<svg class="ring" viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="6"/>'
    '<circle cx="8" cy="8" r="6" pathLength="100" stroke-dasharray="{} 100"/></svg>'
)


@register.filter
def clock(moment: datetime | None) -> SafeString | str:
    """A time like 14:02, with the full date as its title."""
    return _time(moment, date_format(timezone.localtime(moment), "H:i")) if moment else ""


@register.filter
def listed(moment: datetime | None) -> SafeString | str:
    """A time in a list: 14:02 today, the weekday within a week, else the date."""
    if moment is None:
        return ""
    local, today = timezone.localtime(moment), timezone.localdate()
    if local.date() == today:
        return _time(moment, date_format(local, "H:i"))
    if today - timedelta(days=6) <= local.date() < today:
        return _time(moment, date_format(local, "D"))
    if local.year == today.year:
        return _time(moment, date_format(local, pgettext("date in lists", "j M")))
    return _time(moment, date_format(local, pgettext("date with year in lists", "j M Y")))


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """“3 s ago”. The page keeps it current."""
    if moment is None:
        return ""
    seconds = max(0, int((timezone.now() - moment).total_seconds()))
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>',
        moment.isoformat(),
        _full(moment),
        ago_text(seconds),
    )


@register.simple_tag
def countdown(until: datetime, words: str, form: str = "") -> SafeString:
    """The time left until a moment. The page keeps it current.

    `form`: "left" as for reply windows, "seconds", or minutes.
    """
    return format_html(
        '<span role="timer" data-countdown="{}" data-form="{}">{}</span>',
        int(until.timestamp()),
        form,
        words,
    )


def ago_text(seconds: int) -> str:
    if seconds < _MINUTE_S:
        return _("%(count)d s ago") % {"count": seconds}
    if seconds < _HOUR_S:
        return _("%(count)d min ago") % {"count": seconds // _MINUTE_S}
    if seconds < _DAY_S:
        return _("%(count)d h ago") % {"count": seconds // _HOUR_S}
    days = seconds // _DAY_S
    return ngettext("%(count)d day ago", "%(count)d days ago", days) % {"count": days}


def _time(moment: datetime, words: str) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', moment.isoformat(), _full(moment), words
    )


def _full(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), pgettext("full date and time", "D j M Y, H:i:s"))


def clock_or_day(moment: datetime) -> str:
    """“14:32” today, “Tue 14:32” within a week, else with the date."""
    local = timezone.localtime(moment)
    days = abs((local.date() - timezone.localdate()).days)
    if not days:
        return date_format(local, "H:i")
    near = pgettext("closing time", "D H:i")
    return date_format(local, near if days < 7 else pgettext("date and time", "j M H:i"))


@register.filter
def until_text(moment: datetime) -> str:
    """“until Tue 14:32”, with the date if the weekday alone is ambiguous."""
    local = timezone.localtime(moment)
    near = (local.date() - timezone.localdate()).days < 7
    form = pgettext("closing time", "D H:i") if near else pgettext("date and time", "j M H:i")
    words = date_format(local, form)
    if comes_twice(local):  # in the night when the clocks go back: “02:30 CET”
        words = f"{words} {local:%Z}"
    return _("until %(time)s") % {"time": words}


@register.filter
def at_most(count: int, most: int) -> str:
    """A number, shown as “200+” if it exceeds `most` (here 200)."""
    return f"{most}+" if count > most else str(count)


@register.filter
def capped(count: int) -> str:
    """An unread count that stays narrow."""
    return "9+" if count > 9 else str(count)


@register.filter
def short_id(wechat_id: str, form: str = "") -> str:
    """“8f21…4f1a@im.bot”: enough of an id to tell two apart. "alone": without the host."""
    head, at, host = wechat_id.partition("@")
    head = f"{head[:4]}…{head[-4:]}" if len(head) > 10 else head
    return head if form == "alone" else f"{head}{at}{host}"


@register.filter
def pairs(numbers: Mapping[str, int]) -> str:
    """Stream numbers as they are in the page: "team:1:124,user:3:7"."""
    return ",".join(f"{key}:{number}" for key, number in numbers.items())


@register.filter
def stamped(moment: datetime | None) -> SafeString | str:
    """Day and time, for lists that go back several days."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    today = local.date() == timezone.localdate()
    form = "H:i" if today else pgettext("date and time of lists", "j M, H:i")
    return _time(moment, date_format(local, form))
