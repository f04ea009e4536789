"""Ends a connection whose request is not complete within `limits.HEAD_S`, up to its empty line.

Reason: Twisted's timeout (`HTTPChannel.timeOut`) begins anew with every byte, so somebody who sends
a byte a minute keeps a connection for hours.
Can go when: Daphne or Twisted has a limit for the time that a request's lines take.
"""

from typing import Any

from twisted.internet import reactor
from twisted.web import http

from sessions_app.monitoring import meters
from weilink_site.bounds import limits
from weilink_site.daphne import answers

_timer = "_weilink_head_timer"


def _is_reading_lines(channel: Any) -> bool:
    """Whether some of a request's lines have come, but not all."""
    if not channel.line_mode or channel._handlingRequest:
        return False
    return bool(channel._buffer or channel.requests)


def _timing(receive: Any) -> Any:
    """A request that comes in one piece, as most do, starts no timer."""

    def data_received(channel: Any, data: bytes) -> None:
        receive(channel, data)
        if getattr(channel, _timer) is not None or not _is_reading_lines(channel):
            return
        if not getattr(channel.transport, "disconnecting", False):
            later: Any = reactor
            setattr(channel, _timer, later.callLater(limits.HEAD_S, _too_slow, channel))

    return data_received


def _stopping(before: Any) -> Any:
    """All lines have come, or the client went away."""

    def stopped(channel: Any, *given: Any) -> Any:
        _stop(channel)
        return before(channel, *given)

    return stopped


def _stop(channel: Any) -> None:
    timer = getattr(channel, _timer)
    setattr(channel, _timer, None)
    if timer is not None and timer.active():
        timer.cancel()


def _too_slow(channel: Any) -> None:
    setattr(channel, _timer, None)
    meters.REQUESTS_BOUNDED.labels("slow_head").inc()
    answers.write(channel, 408)
    channel.loseConnection()


def install() -> None:
    """Twisted's channel takes the methods by these names."""
    channel: Any = http.HTTPChannel
    if not hasattr(channel, _timer):
        setattr(channel, _timer, None)
        channel.dataReceived = _timing(channel.dataReceived)
        channel.allHeadersReceived = _stopping(channel.allHeadersReceived)
        channel.connectionLost = _stopping(channel.connectionLost)
