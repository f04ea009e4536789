"""Why a reply is refused.

ReplyError            a code, a sentence, and the sessions that could send instead
├── AccountChanged    the reply would go from another account than the Send button named
├── AnsweredMeanwhile somebody else has answered since the draft was started
├── DraftAlreadyUsed  the draft's key was posted before with another text
├── FileProblem       a file of the reply is empty, too large, gone, or of the wrong kind
├── UnknownSession    the named session does not exist for this user
└── UnknownQuote      the quoted message is not in this conversation
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
        self.is_counted = False  # see `replying.counting`


class AnsweredMeanwhile(ReplyError):  # noqa: N818
    """`answered_meanwhile`: the agent has not seen `answer_id` yet, but may insist on sending."""

    def __init__(self, code: str, message: str, answer_id: int) -> None:
        super().__init__(code, message)
        self.answer_id = answer_id


class AccountChanged(ReplyError):  # noqa: N818 - a statement
    """`account_changed`: `offer` holds the account that the reply would use now."""


class DraftAlreadyUsed(ReplyError):  # noqa: N818 - a statement
    """The same draft key was posted with another text."""


class UnknownSession(ReplyError):  # noqa: N818
    """`unknown_session`: the user may not use a session of this name, or there is none."""


class UnknownQuote(ReplyError):  # noqa: N818
    """`unknown_message`: the quoted message is in another conversation or does not exist."""


class FileProblem(ReplyError):  # noqa: N818
    """A file cannot be sent: empty, file_too_large, too_many_files, too_many_waiting, wrong_kind,
    unknown_upload. Or a file is not allowed there: file_in_note, file_parked.
    """
