"""Builds the API: its endpoints, authentication, error handlers and OpenAPI schema."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, URLResolver
from django.views.decorators.http import require_GET
from ninja import NinjaAPI
from ninja.operation import Operation

from messaging.api import errors
from messaging.api.auth import AUTHENTICATION, ApiRequest
from messaging.api.endpoints import (
    contacts,
    conversations,
    files,
    logins,
    messages,
    sessions,
    status,
)


class ConsoleApi(NinjaAPI):
    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The name that generated clients use: it stays when a module moves."""
        noun = operation.view_func.__module__.rpartition(".")[2]
        return f"messaging_api_{noun}_{operation.view_func.__name__}"


api = ConsoleApi(
    title="WeiLink Console",
    version="1",
    description="Everything that the console does with sessions and messages, for programs.",
    docs_url=None,
    openapi_url=None,
    auth=AUTHENTICATION,
    urls_namespace="api",
)
errors.install(api)
for _room in (status, sessions, logins, messages, conversations, contacts, files):
    api.add_router("", _room.router)


@api.get("/openapi.json", include_in_schema=False, url_name="openapi")
def openapi(request: ApiRequest) -> HttpResponse:
    """OpenAPI 3.1."""
    return JsonResponse(schema())


def schema() -> dict[str, Any]:
    return dict(api.get_openapi_schema(path_prefix="/api/v1/"))


@require_GET
def docs(request: HttpRequest) -> HttpResponse:
    """`/api/docs`: reads and tries the schema. Calls use the browser's own session."""
    return render(request, "api/docs.html")


def urls() -> tuple[list[URLPattern | URLResolver], str, str]:
    """The API's URL patterns. Callers without a login get 401, not the login page."""
    patterns, app_name, namespace = api.urls
    for pattern in patterns:
        if isinstance(pattern, URLPattern) and pattern.callback is not None:
            login_not_required(pattern.callback)
    return patterns, app_name, namespace
