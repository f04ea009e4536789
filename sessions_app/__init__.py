"""One WeChat bot session: getting it, keeping it, speaking its protocol.

`from sessions_app import WeiLink` is the Python API. It is imported lazily, so that loading the app
in Django does not import it. It never imports Django.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sessions_app.sdk import (
        BotInfo,
        FolderError,
        ILinkError,
        LoginFailedError,
        Message,
        MessageType,
        NotLoggedInError,
        QuotaExhaustedError,
        SendResult,
        SessionExpiredError,
        TextTooLongError,
        UploadedMedia,
        WeiLink,
        WindowClosedError,
    )

__all__ = [
    "BotInfo",
    "FolderError",
    "ILinkError",
    "LoginFailedError",
    "Message",
    "MessageType",
    "NotLoggedInError",
    "QuotaExhaustedError",
    "SendResult",
    "SessionExpiredError",
    "TextTooLongError",
    "UploadedMedia",
    "WeiLink",
    "WindowClosedError",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("sessions_app.sdk"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
