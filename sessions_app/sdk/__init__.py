"""The Python API: `from sessions_app import WeiLink`. No Django; reads three environment variables.

A thin synchronous layer over `ilink` and `folder.store`. All public names are exported here.
"""

from sessions_app.folder.store import FolderError
from sessions_app.ilink.errors import (
    ILinkError,
    QuotaExhaustedError,
    SessionExpiredError,
    TextTooLongError,
)

from .errors import (
    LoginFailedError,
    NoContextError,
    NothingToSendError,
    NotLoggedInError,
    WindowClosedError,
)
from .login import BotInfo
from .messages import (
    FileInfo,
    ImageInfo,
    MediaInfo,
    Message,
    MessageType,
    RefMessage,
    VideoInfo,
    VoiceInfo,
)
from .parts import SendResult, UploadedMedia
from .sessions import SessionHandle, Sessions
from .weilink import WeiLink

__all__ = [
    "BotInfo",
    "FileInfo",
    "FolderError",
    "ILinkError",
    "ImageInfo",
    "LoginFailedError",
    "MediaInfo",
    "Message",
    "MessageType",
    "NoContextError",
    "NotLoggedInError",
    "NothingToSendError",
    "QuotaExhaustedError",
    "RefMessage",
    "SendResult",
    "SessionExpiredError",
    "SessionHandle",
    "Sessions",
    "TextTooLongError",
    "UploadedMedia",
    "VideoInfo",
    "VoiceInfo",
    "WeiLink",
    "WindowClosedError",
]
