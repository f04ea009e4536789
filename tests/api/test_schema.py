"""The OpenAPI schema says what is: fuzzed by schemathesis over WSGI, with good and bad requests."""

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from messaging.api import app
from messaging.api.endpoints import waiting
from sessions_app.login import attempts
from sessions_app.models import Team
from sessions_app.people.roles import Role
from tests.api.callers import Caller, token_of
from tests.conftest import make_user
from tests.messaging.builders import make_session, receive, text_message

CONFORM = [status_code_conformance, content_type_conformance, response_schema_conformance]
OPERATIONS = sorted(
    f"{method.upper()} {path}"
    for path, methods in app.schema()["paths"].items()
    for method in methods
)


@pytest.fixture
def secret(seeded: Team, monkeypatch: pytest.MonkeyPatch, limited: Callable[..., None]) -> str:
    """An administrator's, among a few things to find; nothing waits and nothing is limited."""
    administrator = make_user("ada", Role.ADMINISTRATOR, seeded)
    receive(make_session("Shop A"), text_message("hello"))
    attempts.start_login(user=administrator, session_name="New", team=seeded)
    monkeypatch.setattr(waiting, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(waiting, "MOST_WAITED_S", 0.0)
    limited(api_requests_per_minute=1_000_000)
    return token_of(administrator)


def fuzz(secret: str, label: str, examples: int) -> None:
    headers = {"Authorization": f"Bearer {secret}"}
    wsgi = get_wsgi_application()
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", wsgi, headers=headers)
    every: list[Any] = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]
    (operation,) = [one for one in every if one.label == label]
    try_out(operation, headers, GenerationMode.POSITIVE, CONFORM, examples)
    try_out(
        operation, headers, GenerationMode.NEGATIVE, [*CONFORM, negative_data_rejection], examples
    )


def try_out(
    operation: Any, headers: dict[str, str], mode: GenerationMode, checks: list[Any], examples: int
) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def answers_as_it_says(case: Any) -> None:
        response = case.call(headers=headers)
        assert response.status_code != 500
        case.validate_response(response, checks=checks)

    answers_as_it_says()


@pytest.mark.parametrize("label", OPERATIONS)
def test_every_call_answers_as_the_schema_says(secret: str, label: str) -> None:
    fuzz(secret, label, examples=3)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("label", OPERATIONS)
def test_every_call_answers_as_the_schema_says_for_long(secret: str, label: str) -> None:
    fuzz(secret, label, examples=400)


def test_the_schema_is_3_1_and_names_both_doors(secret: str) -> None:
    schema = Caller(secret).get("/openapi.json").body
    assert schema["openapi"].startswith("3.1")
    assert schema["components"]["securitySchemes"].keys() == {"BearerToken", "BrowserSession"}
    messages = schema["paths"]["/api/v1/messages"]
    assert {"200", "202", "401", "409", "422", "429"} <= messages["post"]["responses"].keys()
    assert messages["get"]["security"] == [{"BearerToken": []}, {"BrowserSession": []}]


def test_generated_clients_keep_their_names_when_a_module_moves() -> None:
    calls = [call for path in app.schema()["paths"].values() for call in path.values()]
    names = {call["operationId"] for call in calls}
    assert {"messaging_api_status_status", "messaging_api_messages_post_message"} <= names
    assert len(names) == len(calls)
