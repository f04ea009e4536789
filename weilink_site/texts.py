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
        "notifications_granted": _("This browser shows them."),
        "notifications_default": _("This browser was not asked yet whether it shows them."),
        "notifications_denied": _(
            "This browser does not show them: they were refused for this address. "
            "Its settings for this page change that."
        ),
        "notifications_missing": _("This browser cannot show them."),
        "palette_here": _("On this page"),
        "palette_go": _("Go to"),
        "updates_one": _("{count} update"),
        "updates_other": _("{count} updates"),
        "list_changed": _("The list changed"),
        "selected_one": _("{count} selected"),
        "selected_other": _("{count} selected"),
        "selected_matching": _("All {count} selected"),
        "waiting_now": _("waiting"),
        "waiting_minutes": _("waiting {count} min"),
        "waiting_hours": _("waiting {count} h"),
        "waiting_days": _("waiting {count} d"),
        "seconds_ago": _("{count} s ago"),
        "minutes_ago": _("{count} min ago"),
        "hours_ago": _("{count} h ago"),
        "days_ago": _("{count} d ago"),
        "hours_minutes": _("{hours} h {minutes} min"),
        "minutes": _("{minutes} min"),
        "less_than_minute": _("less than a minute"),
        "about_hours": _("about {hours} h"),
        "seconds": _("{seconds} s"),
        "draft_uses": _("this draft uses {count}"),
        "draft_uses_too_many": _("this draft uses {count}, about {left} left"),
        "send_parts": _("Send as {count} messages ({count} replies)"),
        "goes_in": _("Goes in {seconds} s"),
        "looks": _("{names} here too"),
        "types": _("{names} typing…"),
        "name_list": _("{first}, {second}"),
        "ask_owner": _("{name} has this conversation. Answer all the same?"),
        "ask_typing": _("{name} is typing an answer. Answer all the same?"),
        **_file_texts(),
    }


def _file_texts() -> dict[str, str]:
    """What the tray of the composer says."""
    return {
        "file_empty": _("This file is empty."),
        "file_too_large": _("This file is over {most}, the limit set here."),
        "file_broken": _("The line broke. Try again."),
        "too_many_files": _("At most {count} files go with one reply."),
        "files_uploading": _("Sends as soon as all files are here."),
        "files_failed": _("A file is not here: try it again or remove it."),
        "files_not_in_note": _("Files do not go with a note; they stay with the reply."),
        "files_not_parked": _("Files cannot be parked. Remove them to park the text."),
        "file_added": _("{name} added"),
        "file_removed": _("{name} removed"),
        "earlier_file": _("Send {name} earlier"),
        "later_file": _("Send {name} later"),
        "remove_file": _("Remove {name}"),
        "retry_file": _("Try {name} again"),
    }
