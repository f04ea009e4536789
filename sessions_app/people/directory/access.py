"""Who may open `/people/`: administrators, and nobody else."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse

from sessions_app.people.directory.queries import one_person
from sessions_app.people.models import User
from sessions_app.people.roles import Capability, may

View = Callable[..., HttpResponse]


def for_administrators(view: View) -> View:
    """Decorates a view that only administrators may open. Others get 403."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may(request.user, Capability.ADMINISTER):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return wrapped


def person_or_404(pk: int) -> User:
    """The person with roles, teams and open links."""
    found = one_person(pk)
    if found is None:
        raise Http404
    return found
