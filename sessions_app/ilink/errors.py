"""The errors of this package, as one tree. Callers catch ILinkError in one place.

An error's text is one sentence that operators may see. It must never contain a token, a key, a
message's text or a URL with its query.

ILinkError
├── NotSentError              no byte of the request left: DNS, connect, TLS, closed client
├── LineBrokenError           bytes may have left, and no complete answer arrived
│   └── AnswerTimeoutError    … because no answer began in time
├── GatewayError              an HTTP status other than 2xx (.status, .retry_after_s)
├── UnreadableAnswerError     an HTTP 2xx whose body cannot be used
├── RefusedError              WeChat answered with a code that is not 0 (.wire_code, .errmsg)
│   ├── SessionExpiredError   -14: expired, displaced by another binding, logged out on the phone
│   └── ReplyRefusedError     -2: stale context token, replies used up, text too long, too fast
├── UnsafeHostError           a URL that is not allowed
├── CdnError                  a download or upload failed
│   ├── CdnFinalError         … and will always fail (.status, .reason)
│   │   └── CdnTooLargeError  … because the file is too large
│   └── CdnTransientError     … and may succeed later (.is_busy, .retry_after_s)
├── CryptoError               an invalid key or ciphertext
├── QuotaExhaustedError       by our count the reply quota is used up (public Python API)
└── TextTooLongError          more than 16,384 bytes of UTF-8 (.size_bytes)
"""

import unicodedata

SESSION_EXPIRED = -14
REPLY_REFUSED = -2
BUSY_STATUSES = frozenset({408, 425, 429, 503})
"""HTTP statuses that mean “busy, try later”."""
LAG_STATUSES = frozenset({403, 404})
"""HTTP statuses of the CDN for some minutes, until all its servers know a new file."""
_ERRMSG_LIMIT = 200


class ILinkError(Exception):
    """Base class. `code` is a short identifier of the class."""

    code: str = "ilink_error"


class NotSentError(ILinkError):
    """No byte of the request left this machine, so it can safely be repeated."""

    code = "not_sent"


class LineBrokenError(ILinkError):
    """The connection broke after bytes may have left. It is unknown what became of the request."""

    code = "line_broken"


class AnswerTimeoutError(LineBrokenError):
    """The request was sent and the connection is intact, but no answer began in time."""


class GatewayError(ILinkError):
    """WeChat's gateway answered with an HTTP status other than 2xx."""

    code = "gateway"

    def __init__(self, status: int, *, retry_after_s: float | None = None) -> None:
        super().__init__(f"WeChat's gateway answered with HTTP status {status}.")
        self.status = status
        self.retry_after_s = retry_after_s

    @property
    def is_busy(self) -> bool:
        return self.status in BUSY_STATUSES


class UnreadableAnswerError(ILinkError):
    """A 2xx status whose body is not a JSON object, or lacks what the call is for."""

    code = "unreadable_answer"

    def __init__(self, message: str = "WeChat's response could not be read.") -> None:
        super().__init__(message)


class RefusedError(ILinkError):
    """WeChat refused the request. `wire_code` is its `ret` or `errcode`, `errmsg` its text."""

    code = "refused"
    summary = "WeChat refused the request"

    def __init__(self, wire_code: int, errmsg: str = "") -> None:
        self.wire_code = wire_code
        self.errmsg = one_line(errmsg)
        words = f": {self.errmsg}" if self.errmsg else ""
        super().__init__(f"{self.summary} (code {wire_code}){words}.")


class SessionExpiredError(RefusedError):
    """-14: the session is over. Only scanning a new QR code helps."""

    code = "session_expired"
    summary = "WeChat says that this session has expired"


class ReplyRefusedError(RefusedError):
    """-2: WeChat refuses this reply. The person's next message starts a new reply window."""

    code = "reply_refused"
    summary = "WeChat refused the reply"


class UnsafeHostError(ILinkError):
    """A URL from outside that belongs neither to WeChat nor to the configured addresses."""

    code = "unsafe_host"


class CdnError(ILinkError):
    """Something about a file on the CDN."""

    code = "cdn"


class CdnFinalError(CdnError):
    """The CDN will never deliver or accept this file."""

    code = "cdn_refused"

    def __init__(self, message: str, *, status: int | None = None, reason: str = "") -> None:
        self.status = status
        self.reason = one_line(reason)
        super().__init__(f"{message}: {self.reason}." if self.reason else f"{message}.")

    @property
    def may_be_lag(self) -> bool:
        """Whether the CDN may answer differently some minutes later."""
        return self.status in LAG_STATUSES


class CdnTooLargeError(CdnFinalError):
    """The CDN sent more bytes than the reader allowed."""

    code = "cdn_too_large"


class CdnTransientError(CdnError):
    """The CDN had an error or was busy, or the connection broke. A later try may succeed.

    `retry_after_s`: the pause that the CDN asked for, or None.
    """

    code = "cdn_unavailable"

    def __init__(
        self, message: str, *, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s

    @property
    def is_busy(self) -> bool:
        return self.status in BUSY_STATUSES


class CryptoError(ILinkError):
    """A key with an unknown encoding, or a ciphertext that this key does not decrypt."""

    code = "crypto"


class QuotaExhaustedError(ILinkError):
    """By our count no reply is left on this context token. `offer` names other sessions."""

    code = "quota_exhausted"

    def __init__(
        self, message: str = "All replies to this message are used up.", offer: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.offer = offer


class TextTooLongError(ILinkError):
    """A text over 16,384 bytes of UTF-8, which WeChat refuses completely."""

    code = "text_too_long"

    def __init__(self, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(f"The text has {size_bytes} bytes; WeChat takes {limit_bytes}.")
        self.size_bytes = size_bytes


def refusal(wire_code: int, errmsg: str = "") -> RefusedError:
    """The error for a non-zero `ret` or `errcode`."""
    if wire_code == SESSION_EXPIRED:
        return SessionExpiredError(wire_code, errmsg)
    if wire_code == REPLY_REFUSED:
        return ReplyRefusedError(wire_code, errmsg)
    return RefusedError(wire_code, errmsg)


def one_line(text: str) -> str:
    """Make foreign text safe for a log line: no control characters, at most 200 characters."""
    shown = "".join(
        " " if unicodedata.category(char).startswith("C") else char
        for char in text[: _ERRMSG_LIMIT * 2]
    )
    return " ".join(shown.split())[:_ERRMSG_LIMIT].rstrip(" .")
