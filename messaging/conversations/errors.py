"""Why a reply cannot be taken.

ReplyError            code, a sentence, and the sessions that could send instead
├── AccountChanged    the reply would go from another account than the Send button named
├── AnsweredMeanwhile somebody else answered since the draft was begun
├── DraftAlreadyUsed  the draft's key was posted before, with another text
├── FileProblem       a file that goes with it is empty, too large, gone, or of another kind
├── UnknownSession    the session that is to send does not exist for this person
└── UnknownQuote      the message that this one answers is not in the conversation
"""

from collections.abc import Sequence


class ReplyError(Exception):
    """`code` as in the contract: no_context, window_closed, quota_exhausted, session_offline,
    text_too_long, empty. `offer`: names of other usable sessions, newest context first."""

    def __init__(self, code: str, message: str, offer: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.offer = list(offer)


class AnsweredMeanwhile(ReplyError):  # noqa: N818
    """`answered_meanwhile`: `answer_id` was not seen yet; one may insist."""

    def __init__(self, code: str, message: str, answer_id: int) -> None:
        super().__init__(code, message)
        self.answer_id = answer_id


class AccountChanged(ReplyError):  # noqa: N818 - a statement
    """`account_changed`: `offer` holds the one account that it would go from now."""


class DraftAlreadyUsed(ReplyError):  # noqa: N818 - a statement
    """The same draft key came with another text."""


class UnknownSession(ReplyError):  # noqa: N818
    """`unknown_session`: no session of this name among those the person may use."""


class UnknownQuote(ReplyError):  # noqa: N818
    """`unknown_message`: what is to be answered stands in another conversation, or nowhere."""


class FileProblem(ReplyError):  # noqa: N818
    """A file cannot be sent: empty, file_too_large, too_many_files, too_many_waiting, wrong_kind,
    unknown_upload. Or it may not go where it is to: file_in_note, file_parked.
    """
