"""The words that the page's JavaScript says, in the reader's language. No markup."""

from django.utils.translation import gettext as _


def texts() -> dict[str, str]:
    """Key → sentence with {placeholders}; handed to the page as JSON."""
    return {
        "line_down": _("The line to the console is down; trying again…"),
        "offline": _("This computer is offline. What you see may be old."),
        "signed_out": _("You are signed out."),
        "sign_in": _("Sign in again"),
        "not_reached": _("The console could not be reached. Your text is kept: send it again."),
        "went_wrong": _("The console could not do this. Nothing was changed; try again."),
        "not_allowed": _("You may not do this any more. Reload the page to see what you may."),
        "new_below_one": _("{count} new"),
        "new_below_other": _("{count} new"),
        "heard": _("{who}: {text}"),
        "heard_elsewhere_one": _("{count} new message in another conversation"),
        "heard_elsewhere_other": _("{count} new messages in other conversations"),
        "seconds_ago": _("{count} s ago"),
        "minutes_ago": _("{count} min ago"),
        "hours_ago": _("{count} h ago"),
        "days_ago": _("{count} d ago"),
        "hours_minutes": _("{hours} h {minutes} min"),
        "minutes": _("{minutes} min"),
        "less_than_minute": _("less than a minute"),
        "file_empty": _("This file is empty."),
        "file_too_large": _("This file is over {most}, the limit set here."),
        "file_broken": _("The line broke. Try again."),
        "too_many_files": _("At most {count} files go with one reply."),
        "files_uploading": _("Sends as soon as all files are here."),
        "files_failed": _("A file is not here: try it again or remove it."),
        "uses_one": _("this draft uses {count} reply"),
        "uses_other": _("this draft uses {count} replies"),
        "uses_too_many": _("this draft uses {count} replies, about {left} left"),
        "file_added": _("{name} added"),
        "file_removed": _("{name} removed"),
        "earlier_file": _("Send {name} earlier"),
        "later_file": _("Send {name} later"),
        "remove_file": _("Remove {name}"),
        "retry_file": _("Try {name} again"),
    }
