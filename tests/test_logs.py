"""The log's two forms: what a line holds, what it leaves out, and that refusals are one line."""

import json
import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import DisallowedHost, PermissionDenied
from django.test import RequestFactory
from django.urls import resolve

from messaging.conversations.errors import ReplyError
from messaging.models import Conversation
from messaging.receiving import inbound
from sessions_app.database.database_thread import DatabaseThread
from sessions_app.models import SessionState
from sessions_app.monitoring import meters, traces
from sessions_app.realtime.streams import announcing
from sessions_app.sessions import services
from tests.conftest import Cast
from tests.messaging.builders import answer, make_session, text_message
from tests.replies import send_reply
from weilink_site.host import logs


def _record(words: str, *args: object, level: int = logging.INFO, **extra: Any) -> Any:
    error = extra.pop("exc_info", None)
    record = logging.LogRecord("messaging.receiving.x", level, __file__, 1, words, args, error)
    for name, value in extra.items():
        setattr(record, name, value)
    return record


def _as_json(record: logging.LogRecord) -> dict[str, Any]:
    line = logs.formatter("json").format(record)
    assert "\n" not in line
    parsed: dict[str, Any] = json.loads(line)
    return parsed


def test_a_line_of_json_has_the_sentence_the_ids_and_the_trace() -> None:
    with traces.tracing("9f2c41d07be35a18"):
        line = _as_json(_record("session %s: %s", 7, "客服", session_id=7, request="secret"))
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "session 7: 客服",
        "level": "info",
        "logger": "messaging.receiving.x",
        "session_id": 7,
        "trace_id": "9f2c41d07be35a18",
    }


def test_a_line_of_text_is_as_people_know_it() -> None:
    with traces.tracing("9f2c41d07be35a18"):
        line = logs.formatter("text").format(_record("polls go on", session_id=7, code="x"))
    date, time, *rest = line.split(" ", 2)
    assert (len(date), len(time)) == (10, 12)
    assert rest == ["INFO messaging.receiving.x polls go on session_id=7 trace_id=9f2c41d07be35a18"]


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("room", ["invite", "scan"])
def test_what_libraries_log_holds_no_public_address(form: str, room: str) -> None:
    secret = "k3y-of_22.characters:ok"
    request = f"<WebRequest method=GET uri=/{room}/{secret}/state/?watch clientproto=HTTP/1.1>"
    words = "took too long to shut down and was killed"
    try:
        raise ValueError(f"https://console.example.com/{room}/{secret}/")
    except ValueError:
        record = _record("%s %s", request, words, exc_info=sys.exc_info())
    line = logs.formatter(form).format(record)
    assert f"/{room}/… clientproto" in line
    assert words in line
    assert secret not in line


def test_nobody_writes_a_line_of_their_own_into_the_log() -> None:
    line = logs.formatter("text").format(_record("from %s", "wei\n2026-01-01 forged"))
    assert line.endswith("from wei\\n2026-01-01 forged")


class _FailingError(Exception):
    pass


def test_an_error_keeps_its_traceback_but_not_the_failing_row() -> None:
    words = "value too long\nDETAIL:  Failing row contains (1, what Lina\nwrote).\n"
    try:
        raise _FailingError(words)
    except _FailingError:
        record = _record("it broke", level=logging.ERROR, exc_info=sys.exc_info())
    for line in (_as_json(record)["exception"], logs.formatter("text").format(record)):
        assert "Traceback" in line
        assert "value too long" in line
        assert "Lina" not in line
        assert "wrote" not in line


@pytest.mark.django_db
def test_json_names_a_session_by_its_id(
    cast: Cast,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    session = make_session("Shop A")
    with django_capture_on_commit_callbacks(execute=True), announcing() as change:
        services.lock(session)
        services.record_state(change, session, SessionState.EXPIRED, code="signed_out")
    [record] = [one for one in caplog.records if one.levelno == logging.WARNING]
    line = _as_json(record)
    assert line["event"] == f"session {session.pk} is expired"
    assert (line["session_id"], line["code"]) == (session.pk, "signed_out")
    assert "session “Shop A” is expired: " in logs.formatter("text").format(record)


# Refusals


def _refused(name: str, status: int, path: str, error: Exception | None) -> Any:
    request = RequestFactory().get(path)
    record = _record("Forbidden: %s", path, level=logging.ERROR, status_code=status)
    record.name, record.request = name, request
    record.exc_info = (type(error), error, None) if error else None
    return record


@pytest.mark.parametrize(
    ("name", "status", "error", "words"),
    [
        ("django.request", 403, PermissionDenied("no"), "refused with 403: GET /scan/…"),
        ("django.request", 404, None, "refused with 404: GET /scan/…"),
        (
            "django.security.DisallowedHost",
            400,
            DisallowedHost("evil"),
            "refused with 400 (DisallowedHost): GET /scan/…",
        ),
        ("django.security.csrf", 403, None, "refused with 403 (CSRF): GET /scan/…"),
    ],
)
def test_a_refusal_is_one_line_without_traceback_and_address(
    name: str, status: int, error: Exception | None, words: str
) -> None:
    record = _refused(name, status, "/scan/a-secret-code/", error)
    refusals = logs.RefusalFilter()
    assert refusals.filter(record)
    assert (record.getMessage(), record.levelname, record.exc_info) == (words, "WARNING", None)
    # Django reports some refusals twice, the second time by the request's own logger.
    again = _refused("django.request", status, "/scan/a-secret-code/", None)
    again.request = record.request
    assert not refusals.filter(again)


def test_a_refused_page_is_named_by_its_route() -> None:
    record = _refused("django.request", 404, "/sessions/Shop A/", None)
    record.request.resolver_match = resolve("/sessions/Shop A/")
    logs.RefusalFilter().filter(record)
    assert record.getMessage().startswith("refused with 404: GET /sessions/<")
    assert "Shop" not in record.getMessage()


def test_a_page_that_broke_keeps_its_traceback_and_not_its_address() -> None:
    record = _refused("django.request", 500, "/scan/a-secret-code/", ValueError("a bug"))
    assert logs.RefusalFilter().filter(record)
    assert record.getMessage() == "failed with 500: GET /scan/…"
    assert record.exc_info is not None
    assert record.levelname == "ERROR" or record.levelno == logging.ERROR


@pytest.mark.parametrize(
    ("path", "shown"),
    [("/", "/"), ("/a", "/a"), ("/scan/x", "/scan/…"), ("/客\n服/x", "/???/…"), ("", "/")],
)
def test_of_an_unknown_address_the_first_part_is_shown(path: str, shown: str) -> None:
    assert logs.address_of(path) == shown


# Counting


def _value(metric: Any, *labels: str) -> float:
    return float((metric.labels(*labels) if labels else metric)._value.get())


def test_errors_and_warnings_are_counted_by_package_and_refusals_are_not() -> None:
    handler = logs.CountingHandler()
    before = _value(meters.ERRORS, "messaging.receiving"), _value(meters.WARNINGS, "other")
    handler.emit(_record("it broke", level=logging.ERROR))
    odd = _record("odd", level=logging.WARNING)
    odd.name = "somebody.elses"
    handler.emit(odd)
    handler.emit(_refused("django.request", 404, "/x", None))
    after = _value(meters.ERRORS, "messaging.receiving"), _value(meters.WARNINGS, "other")
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1]


@pytest.mark.django_db
def test_a_reply_that_is_not_taken_is_counted_once_by_its_code(
    cast: Cast, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    session = make_session()
    with django_capture_on_commit_callbacks(execute=True):
        inbound.store([answer(session, [text_message("hi")])])
    conversation = Conversation.objects.get()
    before = _value(meters.POSTS_REFUSED, "text_too_long")
    with pytest.raises(ReplyError):
        send_reply(user=cast.agent, conversation=conversation, text="x" * 20_000, draft_key="k")
    assert _value(meters.POSTS_REFUSED, "text_too_long") == before + 1


# Traces


async def test_a_database_thread_works_under_the_callers_trace() -> None:
    thread = DatabaseThread("test")
    with traces.tracing("aaaa"):
        assert await thread.run(traces.current_id) == "aaaa"
    assert await thread.run(traces.current_id) == ""
    thread.close()


def test_traces_of_another_release_are_left_out() -> None:
    sent = traces.as_sent([traces.Trace("a", 1.5), traces.Trace("b")])
    assert traces.as_heard(sent) == [traces.Trace("a", 1.5), traces.Trace("b")]
    for odd in (None, "text", [["a"]], [["a", "b"]], 7):
        assert traces.as_heard(odd) == []
