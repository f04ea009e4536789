"""The cast at the API's door: each with a token, as programs come."""

import json
from dataclasses import dataclass
from typing import Any

from django.test import Client

from messaging.api.codes import CODES
from sessions_app.models import User
from sessions_app.people.tokens import issue_token

EVERYBODY = (
    "administrator", "operator", "supervisor", "agent", "agent_elsewhere", "viewer", "outsider",
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> str:
        """The error's code; "" for a good answer."""
        return str(self.body["error"]["code"]) if self.status >= 400 else ""


def answer_of(response: Any) -> Answer:
    text = response.content.decode()
    answer = Answer(response.status_code, json.loads(text) if text else None, response.headers)
    if answer.status >= 400:  # whatever a test is about: no error may bear a code of its own
        assert answer.code in CODES[answer.status], answer
    return answer


class Caller:
    """A program with one token. Raises nothing: every answer is looked at."""

    def __init__(self, secret: str, path: str = "/api/v1") -> None:
        self.secret = secret
        self.path = path
        self.client = Client(raise_request_exception=False, enforce_csrf_checks=True)

    def __call__(self, method: str, path: str, body: Any = None, **query: Any) -> Answer:
        headers = {"authorization": f"Bearer {self.secret}"} if self.secret else {}
        response: Any = self.client.generic(
            method,
            self.path + path,
            data=b"" if body is None else json.dumps(body).encode(),
            content_type="application/json",
            headers=headers,
            query_params=query or None,
        )
        return answer_of(response)

    def get(self, path: str, **query: Any) -> Answer:
        return self("GET", path, **query)

    def post(self, path: str, body: Any = None, **query: Any) -> Answer:
        return self("POST", path, body, **query)

    def patch(self, path: str, body: Any, **query: Any) -> Answer:
        return self("PATCH", path, body, **query)

    def delete(self, path: str) -> Answer:
        return self("DELETE", path)


def token_of(user: User, *scopes: str) -> str:
    return issue_token(owner=user, name="test", scopes=scopes)[1]


def calling(user: User, *scopes: str) -> Caller:
    return Caller(token_of(user, *scopes))
