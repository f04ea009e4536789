"""The counters and histograms of this process. docs/monitoring.md explains each of them.

An update costs a few microseconds and no database statement. Values of labels are words of the
code, never ids of people or sessions, so the number of series is bounded. What the database knows
(outbox, leases, states of sessions) is counted at a scrape instead, in `weilink_site/monitoring/`.
"""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry(auto_describe=True)
"""Holds what this process counts, and its memory, CPU time and open files."""
ProcessCollector(registry=REGISTRY)

WAYS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
"""Upper ends in seconds of the buckets of ways: from a few milliseconds to an outage."""
REQUESTS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


# Receiving

POLLS = Counter(
    "weilink_polls_total",
    "Answers to polls of WeChat, and polls that failed, by result.",
    ["result"],
    registry=REGISTRY,
)
MESSAGES_RECEIVED = Counter(
    "weilink_messages_received_total",
    "Messages of contacts that were stored for the first time, by kind.",
    ["kind"],
    registry=REGISTRY,
)
WECHAT_DELAY = Histogram(
    "weilink_wechat_delay_seconds",
    "Seconds from the time that WeChat wrote on a message to the answer that brought it.",
    buckets=WAYS_S,
    registry=REGISTRY,
)
WECHAT_TO_PAGE = Histogram(
    "weilink_wechat_to_page_seconds",
    "Seconds from WeChat's answer with a message to the frame that shows it on open pages.",
    buckets=WAYS_S,
    registry=REGISTRY,
)
ANSWERS_SPOOLED = Counter(
    "weilink_answers_spooled_total",
    "Answers of WeChat that the database could not take and that went to the spool folder.",
    registry=REGISTRY,
)
SPOOL = Gauge(
    "weilink_spool_answers",
    "Answers of WeChat that wait in the spool folder of this worker.",
    registry=REGISTRY,
)

# Sending

MESSAGES_SENT = Counter(
    "weilink_messages_sent_total",
    "Attempts to send a reply that ended, by outcome.",
    ["outcome"],
    registry=REGISTRY,
)
REPLIES_REFUSED = Counter(
    "weilink_replies_refused_total",
    "Replies that failed, by the code of the reason.",
    ["code"],
    registry=REGISTRY,
)
POSTS_REFUSED = Counter(
    "weilink_posts_refused_total",
    "Replies that the console did not take from a page or the API, by the code of the reason.",
    ["code"],
    registry=REGISTRY,
)
COMPOSER_TO_WECHAT = Histogram(
    "weilink_composer_to_wechat_seconds",
    "Seconds from the post of a reply, or the end of its undo time, to WeChat's answer.",
    buckets=WAYS_S,
    registry=REGISTRY,
)
SEND = Histogram(
    "weilink_send_seconds",
    "Seconds that WeChat took to answer a send, or until it failed.",
    buckets=WAYS_S,
    registry=REGISTRY,
)

# Pages, logins, errors

WEBSOCKETS = Gauge(
    "weilink_websockets", "Open websockets of pages in this process.", registry=REGISTRY
)
REQUEST = Histogram(
    "weilink_request_seconds",
    "Seconds from a request to the first bytes of its answer, by the area of the address.",
    ["area"],
    buckets=REQUESTS_S,
    registry=REGISTRY,
)
REQUESTS_REFUSED = Counter(
    "weilink_requests_refused_total",
    "Requests that were answered with a status of 400 or more, by area and status.",
    ["area", "status"],
    registry=REGISTRY,
)
REQUESTS_UNDER_WAY = Gauge(
    "weilink_requests_under_way",
    "Requests that run, wait for their turn or send their answer, by kind.",
    ["kind"],
    registry=REGISTRY,
)
REQUESTS_BOUNDED = Counter(
    "weilink_requests_bounded_total",
    "Requests that a bound of this process refused or ended, by the bound.",
    ["reason"],
    registry=REGISTRY,
)
LOGINS = Counter(
    "weilink_logins_total",
    "States that QR logins ended in or stopped at.",
    ["status"],
    registry=REGISTRY,
)
ERRORS = Counter(
    "weilink_errors_total",
    "Log lines at ERROR or CRITICAL, by the package that wrote them.",
    ["package"],
    registry=REGISTRY,
)
WARNINGS = Counter(
    "weilink_warnings_total",
    "Log lines at WARNING, by the package that wrote them.",
    ["package"],
    registry=REGISTRY,
)
