"""Renders templates with enough space on Python's stack.

CPython 3.11, 3.12 and early 3.13 and 3.14 allocate call frames in chunks of 16 KiB and free a chunk
when its first frame ends (github.com/python/cpython/issues/142183). A loop at the border of two
chunks allocates a new one in every call, which is a hundred times as slow: a page took half as long
again, depending only on its call depth. A call that needs much space gets one large chunk, and all
calls inside it find room there.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from django.template.backends.django import DjangoTemplates, Template

ROOM = 40_000
"""In slots of 8 bytes.

The chunk for them has 512 KiB, of which 200 KiB are left for the calls inside. The slots themselves
are never touched, so they use no memory.
"""

Given = ParamSpec("Given")
Result = TypeVar("Result")


def with_room(call: Callable[Given, Result]) -> Callable[Given, Result]:
    def roomy(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        return call(*args, **kwargs)

    roomy.__code__ = roomy.__code__.replace(co_stacksize=ROOM)
    return roomy


class RoomyTemplates(DjangoTemplates):
    """Django's own templates, rendered by a call with a large stack chunk."""

    def from_string(self, template_code: str) -> Template:
        return _roomy(super().from_string(template_code))

    def get_template(self, template_name: str) -> Template:
        return _roomy(super().get_template(template_name))


def _roomy(template: Template) -> Template:
    drawn: Any = template
    drawn.render = with_room(template.render)
    return template
