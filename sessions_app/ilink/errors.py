"""What can go wrong between us and WeChat, as one tree; whoever calls this package catches it once.

An error's text is one plain sentence that may be shown to an operator: it must never hold a token,
a key, a message's text or an address with its query.

ILinkError
├── NotSentError              no byte of the request left: DNS, connect, TLS, closed client
├── LineBrokenError           bytes may have left and no whole answer came back
│   └── AnswerTimeoutError    … because not even the head of an answer came in time
├── GatewayError              an HTTP status other than 2xx (.status, .retry_after_s)
├── UnreadableAnswerError     an HTTP 2xx whose body is not what was asked for
├── RefusedError              WeChat answered with a code that is not 0 (.wire_code, .errmsg)
│   ├── SessionExpiredError   -14: expired, displaced by another binding, logged out on the phone
│   └── ReplyRefusedError     -2: stale context token, replies used up, text too long, too fast
├── UnsafeHostError           an address that we do not follow
├── CdnError                  a file could not be fetched or stored
│   ├── CdnFinalError         … and never will be (.status, .reason)
│   │   └── CdnTooLargeError  … because it is larger than was allowed
│   └── CdnTransientError     … and may be, later (.is_busy, .retry_after_s)
├── CryptoError               a key or a ciphertext that makes no sense
├── QuotaExhaustedError       our own count says that the replies are used up (public Python API)
└── TextTooLongError          more than 16,384 bytes of UTF-8 (.size_bytes)
"""

import unicodedata

SESSION_EXPIRED = -14
REPLY_REFUSED = -2
BUSY_STATUSES = frozenset({408, 425, 429, 503})
"""HTTP statuses by which a server says “not now”."""
LAG_STATUSES = frozenset({403, 404})
"""What the CDN answers for minutes while one of its servers does not know a file yet."""
_ERRMSG_LIMIT = 200


class ILinkError(Exception):
    """Root of the tree; `code` is the short machine word of the class."""

    code: str = "ilink_error"


class NotSentError(ILinkError):
    """No byte of the request left this machine: to repeat it is safe."""

    code = "not_sent"


class LineBrokenError(ILinkError):
    """The line broke after bytes may have left: nobody knows what became of the request."""

    code = "line_broken"


class AnswerTimeoutError(LineBrokenError):
    """The request left, the line stayed whole, and no answer began in time."""


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
    """An HTTP success whose body is no JSON object, or lacks what the call is for."""

    code = "unreadable_answer"

    def __init__(self, message: str = "WeChat's response could not be read.") -> None:
        super().__init__(message)


class RefusedError(ILinkError):
    """WeChat understood and said no; `wire_code` is its `ret` or `errcode`, `errmsg` its words."""

    code = "refused"
    summary = "WeChat refused the request"

    def __init__(self, wire_code: int, errmsg: str = "") -> None:
        self.wire_code = wire_code
        self.errmsg = one_line(errmsg)
        words = f": {self.errmsg}" if self.errmsg else ""
        super().__init__(f"{self.summary} (code {wire_code}){words}.")


class SessionExpiredError(RefusedError):
    """-14: the session is over; only a new QR code helps."""

    code = "session_expired"
    summary = "WeChat says that this session has expired"


class ReplyRefusedError(RefusedError):
    """-2: this reply is not taken; the person's next message opens a new window."""

    code = "reply_refused"
    summary = "WeChat refused the reply"


class UnsafeHostError(ILinkError):
    """An address named from outside that is neither WeChat's nor one of the settings'."""

    code = "unsafe_host"


class CdnError(ILinkError):
    """Something about a file on the CDN."""

    code = "cdn"


class CdnFinalError(CdnError):
    """The CDN will not give or take this file, however often it is asked."""

    code = "cdn_refused"

    def __init__(self, message: str, *, status: int | None = None, reason: str = "") -> None:
        self.status = status
        self.reason = one_line(reason)
        super().__init__(f"{message}: {self.reason}." if self.reason else f"{message}.")

    @property
    def may_be_lag(self) -> bool:
        """Whether minutes may make this answer another one."""
        return self.status in LAG_STATUSES


class CdnTooLargeError(CdnFinalError):
    """More bytes came than the reader allowed."""

    code = "cdn_too_large"


class CdnTransientError(CdnError):
    """The CDN was ill or busy, or the line broke; the same file may work later.

    `retry_after_s`: how long the CDN asked to be left alone, None where it did not say.
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
    """A key in no known encoding, or a ciphertext that this key does not open."""

    code = "crypto"


class QuotaExhaustedError(ILinkError):
    """Our count says that no reply is left on this context token; `offer` names other sessions."""

    code = "quota_exhausted"

    def __init__(
        self, message: str = "All replies to this message are used up.", offer: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.offer = offer


class TextTooLongError(ILinkError):
    """A text over 16,384 bytes of UTF-8, which WeChat refuses whole."""

    code = "text_too_long"

    def __init__(self, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(f"The text has {size_bytes} bytes; WeChat takes {limit_bytes}.")
        self.size_bytes = size_bytes


def refusal(wire_code: int, errmsg: str = "") -> RefusedError:
    """The error class that fits a non-zero `ret` or `errcode`."""
    if wire_code == SESSION_EXPIRED:
        return SessionExpiredError(wire_code, errmsg)
    if wire_code == REPLY_REFUSED:
        return ReplyRefusedError(wire_code, errmsg)
    return RefusedError(wire_code, errmsg)


def one_line(text: str) -> str:
    """Foreign words made fit for a log line: no control characters, at most 200 characters."""
    shown = "".join(
        " " if unicodedata.category(char).startswith("C") else char
        for char in text[: _ERRMSG_LIMIT * 2]
    )
    return " ".join(shown.split())[:_ERRMSG_LIMIT].rstrip(" .")
