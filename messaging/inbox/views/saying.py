"""Tells the user what was done, with a link to undo it."""

import json

from django.http import HttpResponse
from django.utils.translation import ngettext

from messaging.models import WorkAction

SAID = "console:said"
"""The page's event for this; its detail has `words` and the `action` to undo, if any."""


def with_words(response: HttpResponse, words: str, action: WorkAction | None) -> HttpResponse:
    said = {"words": words, "action": str(action.pk) if action else ""}
    response["HX-Trigger"] = json.dumps({SAID: said})
    return response


def resolved_words(count: int) -> str:
    words = ngettext("%(count)d conversation resolved.", "%(count)d conversations resolved.", count)
    return words % {"count": count}
