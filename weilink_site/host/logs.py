"""The log on stderr: one line a record, as text or as JSON (WEILINK_LOG_FORMAT).

A line has the time, the level, the logger, the sentence, and the ids that belong to it; the trace
id of the work at hand is added by itself. What people wrote, tokens, names of contacts, and the
addresses of invitations and scan links are never logged. A few lines name a session or a member in
their sentence, for people who read the log; such a record says the same by ids in `ids_only`, and
JSON, which is often kept elsewhere, takes that.
"""

import logging
import re
from collections.abc import Callable
from typing import Any

import structlog
from structlog.typing import EventDict

from sessions_app.monitoring import meters
from sessions_app.monitoring.traces import WAY_LOGGER
from weilink_site.host.environment import HostSettings

IDS = frozenset(
    {
        "trace_id", "message_id", "conversation_id", "session_id", "worker_id",
        "stream", "from_number", "to_number", "pages", "messages", "parts", "kind", "outcome",
        "code", "state", "status", "area", "seconds",
    }
)  # fmt: skip
"""The fields that a record may bring by `extra`; everything else in `extra` is left out."""

SHOWN = IDS - {"state", "code", "status"}
"""In the text format; the sentence has the others."""
OUR_PACKAGES = ("weilink_site", "sessions_app", "messaging")
OTHER_PACKAGES = ("django", "daphne", "twisted", "channels", "channels_redis", "asyncio", "psycopg")


class IdsOnly:
    """Takes the sentence without names where a record brings one; the text format drops it."""

    def __init__(self, *, replaces: bool) -> None:
        self._replaces = replaces

    def __call__(self, logger: Any, method: str, event: EventDict) -> EventDict:
        record: logging.LogRecord = event["_record"]
        if self._replaces and (words := getattr(record, "ids_only", "")):
            event["event"] = words
        return event


class TextLine:
    """`2026-11-29 20:54:04,120 INFO messaging.receiving the sentence trace_id=…`."""

    def __call__(self, logger: Any, method: str, event: EventDict) -> str:
        at = f"{event['timestamp']:.23}"  # to the millisecond
        head = f"{at} {event['level'].upper()} {event['logger']} {event['event']}"
        ids = [
            f"{name}={event[name]}" for name in sorted(SHOWN & event.keys()) if event[name] != ""
        ]
        line = " ".join([head, *ids])
        return f"{line}\n{event['exception']}" if "exception" in event else line


class OneLine:
    """Line ends in a sentence would let a visitor write lines of their own."""

    def __call__(self, logger: Any, method: str, event: EventDict) -> EventDict:
        event["event"] = str(event["event"]).replace("\r", "\\r").replace("\n", "\\n")
        return event


_DETAILS = re.compile(
    r"^(DETAIL|CONTEXT): .*?(?=^\n|^The above exception|^During handling|\Z)", re.M | re.S
)


def without_details(logger: Any, method: str, event: EventDict) -> EventDict:
    """PostgreSQL repeats a failing row in its error's details, with what people wrote."""
    if "exception" in event:
        event["exception"] = _DETAILS.sub(r"\1: (left out)\n", event["exception"]).rstrip("\n")
    return event


_PUBLIC_ADDRESS = re.compile(r"(/(?:scan|invite)/)[^\s\"'<>]+")


def without_codes(logger: Any, method: str, event: EventDict) -> EventDict:
    """Whoever reads the address of an invitation or a scan link could use it.

    Our own lines name routes. Those of libraries, such as Daphne's about a request that does not
    end, have whole addresses.
    """
    for part in ("event", "exception"):
        if part in event:
            event[part] = _PUBLIC_ADDRESS.sub(r"\1…", event[part])
    return event


def formatter(kind: str) -> structlog.stdlib.ProcessorFormatter:
    """`kind`: text or json."""
    is_json = kind == "json"
    if is_json:
        stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
        render: Callable[..., Any] = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        stamp = structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S,%f", utc=False)
        render = TextLine()
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.stdlib.ExtraAdder(allow=IDS),
        ],
        processors=[
            IdsOnly(replaces=is_json),
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            OneLine(),
            stamp,
            structlog.processors.format_exc_info,
            without_details,
            without_codes,
            render,
        ],
    )


class RefusalFilter(logging.Filter):
    """Makes a refused request one line without a traceback, and without what its address says.

    Django logs most refusals with the exception, some of them twice, and bad hosts as errors; but
    they are faults of the visitor. Addresses may hold names and secret codes, so the line has the
    route (`sessions/<name>/`) in their place.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        is_security = record.name.startswith("django.security")
        if not (is_security or record.name == "django.request"):
            return True
        status = getattr(record, "status_code", 500)
        if getattr(record, "is_refusal", False):  # another handler had it before
            return True
        request = getattr(record, "request", None)
        if status >= 500:
            if request is not None:
                words = f"failed with {status}: {_asked_for(request)}"
                record.msg, record.args = words, ()
            return True
        if request is not None:
            if getattr(request, "refusal_is_logged", False):
                return False
            request.refusal_is_logged = True
        why = record.name.rpartition(".")[2] if is_security else ""
        record.msg, record.args = _refusal_words(request, status, why), ()
        record.exc_info = record.exc_text = None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.status, record.is_refusal = status, True
        return True


def _refusal_words(request: Any, status: int, why: str) -> str:
    because = f" ({why})" if why and why != "csrf" else " (CSRF)" if why else ""
    return f"refused with {status}{because}: {_asked_for(request)}"


def _asked_for(request: Any) -> str:
    method = str(getattr(request, "method", None) or "a request")
    shown = method if method.isascii() and method.isalpha() else "?"
    return f"{shown[:20]} {route_of(request)}"


def route_of(request: Any) -> str:
    """The route of a request, such as `/sessions/<name>/`, or the first part of its address."""
    found = getattr(request, "resolver_match", None)
    if found is not None:
        return f"/{found.route}"
    return address_of(str(getattr(request, "path_info", "")))


def address_of(path: str) -> str:
    """The first part of an address that no route belongs to. What follows may be a secret."""
    first, _, rest = path.lstrip("/").partition("/")
    words = "".join(sign if sign.isascii() and sign.isprintable() else "?" for sign in first[:40])
    return f"/{words}/…" if rest else f"/{words}"


class CountingHandler(logging.Handler):
    """Counts what goes wrong for `/metrics`, by the package that logs it. Writes nothing."""

    def emit(self, record: logging.LogRecord) -> None:
        is_request = record.name.startswith(("django.request", "django.security"))
        if is_request and getattr(record, "status_code", 500) < 500:
            return  # refusals have a counter of their own
        is_error = record.levelno >= logging.ERROR
        (meters.ERRORS if is_error else meters.WARNINGS).labels(package_of(record.name)).inc()


def package_of(logger_name: str) -> str:
    """`messaging.receiving` for a logger of ours, the library's name for a known one."""
    parts = logger_name.split(".")
    if parts[0] in OUR_PACKAGES:
        return ".".join(parts[:2])
    return parts[0] if parts[0] in OTHER_PACKAGES else "other"


def config(host: HostSettings) -> dict[str, Any]:
    """Django's setting LOGGING."""
    is_json = host.weilink_log_format == "json"
    ways = host.log_level if is_json or host.log_level == "DEBUG" else "WARNING"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter, "kind": host.weilink_log_format}},
        "filters": {
            "refusals": {"()": "weilink_site.host.logs.RefusalFilter"},
            "outages": {"()": "weilink_site.host.outages.OutageFilter"},
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "filters": ["refusals", "outages"],
            },
            "counts": {"class": "weilink_site.host.logs.CountingHandler", "level": "WARNING"},
        },
        "root": {"handlers": ["stderr", "counts"], "level": host.log_level},
        "loggers": {
            WAY_LOGGER: {"level": ways},
            # Django's own handlers would write a second line of another form.
            "django": {"handlers": []},
            "django.channels.server": {"level": "WARNING"},
            "daphne": {"level": "WARNING"},
            # What the pool warns of, once a try, is said by `outages`.
            "psycopg.pool": {"level": "ERROR"},
            # httpx logs whole URLs at INFO; a QR code's handle stands in them.
            "httpx": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
            "uvicorn": {"level": "WARNING"},
            "watchfiles": {"level": "WARNING"},
        },
    }
