"""Templates drawn with room on Python's stack.

CPython 3.11, 3.12 and early 3.13 and 3.14 take the frames of calls from pieces of 16 KiB and give
a piece back when its first frame ends (github.com/python/cpython/issues/142183). A loop that stands
at the border of two pieces asks the system for a new one with every call, a hundred times as slow:
by nothing but the depth at which it was drawn a page took half as long again. A call that needs
much gets one large piece, and all that it calls finds room behind it.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from django.template.backends.django import DjangoTemplates, Template

ROOM = 40_000
"""Slots of 8 bytes: the piece for them has 512 KiB, of which 200 are left for the calls inside.
Of the slots themselves no memory page is ever touched."""

Given = ParamSpec("Given")
Result = TypeVar("Result")


def with_room(call: Callable[Given, Result]) -> Callable[Given, Result]:
    def roomy(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        return call(*args, **kwargs)

    roomy.__code__ = roomy.__code__.replace(co_stacksize=ROOM)
    return roomy


class RoomyTemplates(DjangoTemplates):
    """Django's own templates, each drawn by a call with room."""

    def from_string(self, template_code: str) -> Template:
        return _roomy(super().from_string(template_code))

    def get_template(self, template_name: str) -> Template:
        return _roomy(super().get_template(template_name))


def _roomy(template: Template) -> Template:
    drawn: Any = template
    drawn.render = with_room(template.render)
    return template
