"""The endpoints of WeChat and everything that can go wrong with a call of one."""

from dataclasses import dataclass
from enum import StrEnum


class Endpoint(StrEnum):
    GET_BOT_QRCODE = "get_bot_qrcode"
    GET_QRCODE_STATUS = "get_qrcode_status"
    GETUPDATES = "getupdates"
    SENDMESSAGE = "sendmessage"
    GETCONFIG = "getconfig"
    SENDTYPING = "sendtyping"
    GETUPLOADURL = "getuploadurl"
    CDN_UPLOAD = "upload"
    CDN_DOWNLOAD = "download"
    NOTIFYSTART = "notifystart"
    NOTIFYSTOP = "notifystop"


CDN = (Endpoint.CDN_UPLOAD, Endpoint.CDN_DOWNLOAD)
LOGIN = (Endpoint.GET_BOT_QRCODE, Endpoint.GET_QRCODE_STATUS)
OF_ONE_PERSON = (
    Endpoint.SENDMESSAGE, Endpoint.GETCONFIG, Endpoint.SENDTYPING, Endpoint.GETUPLOADURL,
)  # fmt: skip

ONCE, LONG = "once", "for 15 minutes"
LONG_S = 900.0


@dataclass(frozen=True)
class Fault:
    """`what` is done to a request (`line.Network`), and how often: ONCE or LONG."""

    what: str
    lasts: str = LONG

    @property
    def name(self) -> str:
        return f"{self.what} {self.lasts}"

    @property
    def is_once(self) -> bool:
        return self.lasts == ONCE


CONNECTION = ("refused", "reset before", "reset after", "lost", "slow", "endless")
"""`lost`: the request takes effect, and its answer does not arrive."""
STATUSES = ("403", "408", "425", "429", "500", "502", "524")
BODIES = ("redirect", "html", "empty", "cut", "wrong json", "wrong types", "50 MB")
SIGNED_OUT = ("-14 in ret", "-14 in errcode")
CODES = ("-2 for one person", "-2 for the whole bot", "-1", "unknown code")
MESSAGES = ("replayed", "repeated", "reordered")
"""`replayed`: the same answer again and again; `repeated`: with another cursor each time."""
CLOCKS = ("clock back", "clock ahead")
"""By a day, once, in the middle of the work."""

EITHER = (*CONNECTION, *STATUSES, *SIGNED_OUT)
FAULTS = (
    *(Fault(what, lasts) for what in EITHER for lasts in (ONCE, LONG)),
    *(Fault(what) for what in (*BODIES, *CODES, *MESSAGES)),
    *(Fault(what, ONCE) for what in CLOCKS),
)  # fmt: skip


QUICK = {
    ONCE: {"refused", "reset after", "lost", "408", "429", "502", "-14 in ret", *CLOCKS},
    LONG: {"502", "-14 in ret", "html", "wrong types", "-2 for one person", "-1", *MESSAGES},
}
"""These stand for the others in a usual run; `make test-slow` runs all cells."""


def is_slow(fault: Fault) -> bool:
    return fault.what not in QUICK[fault.lasts]


def reason_against(endpoint: Endpoint, fault: Fault) -> str:
    """Why this fault cannot meet this endpoint; "" if it can."""
    if fault.what in MESSAGES and endpoint is not Endpoint.GETUPDATES:
        return "only getupdates brings messages"
    if endpoint in CDN and fault.what in (*SIGNED_OUT, *CODES):
        return "the CDN answers without codes: with an HTTP status, a header and bytes"
    if endpoint in CDN and fault.what in ("wrong json", "wrong types"):
        return "the CDN's answers are no JSON"
    if endpoint is Endpoint.CDN_UPLOAD and fault.what == "cut":
        return "what matters of this answer is a header"
    if fault.what == "-2 for one person" and endpoint not in OF_ONE_PERSON:
        return "the call is about no person"
    return ""
