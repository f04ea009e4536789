"""The words of the page's JavaScript, in the reader's language. No markup."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

# A count of each plural category that the browser's `Intl.PluralRules` may name. Latvian, Irish and
# Welsh, whose categories hold other counts, would need their own.
PLURAL_COUNTS = {"zero": 0, "one": 1, "two": 2, "few": 3, "many": 11, "other": 100}


def texts() -> dict[str, str]:
    """Key → sentence with {placeholders}. The page receives them as JSON."""
    return {
        "line_down": _("Connection to the console lost. Reconnecting…"),
        "database_away": _(
            "The console's database does not answer. Messages are kept, and this page goes on by "
            "itself."
        ),
        "hints_away": _("Changes appear a few seconds late at the moment."),
        "offline": _("This computer is offline. The page may be out of date."),
        "signed_out": _("You are signed out."),
        "sign_in": _("Sign in again"),
        "not_reached": _("The console could not be reached. Your text is kept: send it again."),
        "went_wrong": _("That did not work. Nothing was changed. Try again."),
        "not_allowed": _("You no longer have access to this. Reload the page."),
        "copied": _("Copied"),
        "heard": _("{who}: {text}"),
        "notifications_granted": _("This browser shows notifications."),
        "notifications_default": _("Notifications are not allowed in this browser yet."),
        "notifications_denied": _(
            "Notifications are blocked for this address. Allow them in the browser's "
            "settings for this page."
        ),
        "notifications_missing": _("This browser can't show notifications."),
        "palette_here": _("On this page"),
        "palette_go": _("Go to"),
        "opening": _("Opening the conversation with {name}…"),
        "list_changed": _("The list changed"),
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
        "hours_left": _("{hours} h"),
        "window_closed": _("closed"),
        "seconds": _("{seconds} s"),
        "draft_uses": _("this draft uses {count}"),
        "draft_uses_too_many": _("this draft uses {count}, about {left} left"),
        "send_parts": _("Send as {count} messages ({count} replies)"),
        "goes_in": _("Sends in {seconds} s"),
        "looks": _("{names} here too"),
        "types": _("{names} typing…"),
        "name_list": _("{first}, {second}"),
        "ask_owner": _("{name} is assigned to this conversation. Reply anyway?"),
        "colleague_has": _("{name} is assigned to this conversation."),
        "colleague_types": _("{name} is typing a reply."),
        "ask_typing": _("{name} is typing a reply. Reply anyway?"),
        **_counted_texts(),
        **_key_texts(),
        **_file_texts(),
    }


def _counted_texts() -> dict[str, str]:
    """Sentences about a count, one per plural category: `updates_one`, `updates_other`.

    A category without a sentence of its own in this language uses the one of "other".
    """
    other = _texts_for(PLURAL_COUNTS["other"])
    return {
        f"{key}_{category}": words
        for category, count in PLURAL_COUNTS.items()
        for key, words in _texts_for(count).items()
        if category == "other" or words != other[key]
    }


def _texts_for(count: int) -> dict[str, str]:
    return {
        "new_below": ngettext("{count} new", "{count} new", count),
        "heard_elsewhere": ngettext(
            "{count} new message in another conversation",
            "{count} new messages in other conversations",
            count,
        ),
        "updates": ngettext("{count} update", "{count} updates", count),
        "selected": ngettext("{count} selected", "{count} selected", count),
    }


def _key_texts() -> dict[str, str]:
    """Why a key did nothing, or why a reply is back in its draft."""
    return {
        "not_opened": _("This could not be opened."),
        "not_resolved": _("Not resolved: the reply above was not sent."),
        "answer_first": _(
            "Not resolved: the reply waits for your answer to the question above it."
        ),
        "no_reply_here": _("You can't write a reply here."),
        "keys_dropped": _("Keys pressed in the meantime were ignored: {keys}"),
        "text_kept": _("Your text is kept in this tab."),
        "came_back_elsewhere": _("Your text to {who} was not sent; it is in its draft."),
    }


def _file_texts() -> dict[str, str]:
    """The texts of the composer's file tray."""
    return {
        "file_empty": _("This file is empty."),
        "file_too_large": _("This file is over {most}, the limit set here."),
        "file_broken": _("The connection broke. Try again."),
        "too_many_files": _("A reply can have at most {count} files."),
        "files_uploading": _("Sends as soon as all files are uploaded."),
        "files_failed": _("A file was not uploaded. Try again or remove it."),
        "files_not_in_note": _("Files stay with the reply. Notes can't have files."),
        "files_not_parked": _(
            "Only text can wait until the customer writes. Remove the files first."
        ),
        "file_added": _("{name} added"),
        "file_removed": _("{name} removed"),
        "earlier_file": _("Send {name} earlier"),
        "later_file": _("Send {name} later"),
        "remove_file": _("Remove {name}"),
        "retry_file": _("Try {name} again"),
    }


def refusal_texts() -> dict[str, str]:
    """Why something was refused for good, by the console (`any_`, `draft_`…) or before it.

    Not in the page: asked for when it happens.
    """
    draft_long = _(
        "This text is too long to be saved as a draft. It stays in this tab, and is saved again "
        "once it is shorter."
    )
    gone = _("This is no longer here, or belongs to another team. Your text is kept in this tab.")
    return {
        "another_person": _(
            "Somebody else is signed in in this browser now. Reload; your text is kept."
        ),
        "another_person_typed": _(
            "Somebody else is signed in in this browser now. Copy what you typed, then reload."
        ),
        "reload": _("Reload"),
        "any_token": _("This page is out of date. Reload; your text is kept."),
        "any_403": _("You no longer have access to this. Reload; your text is kept."),
        "any_404": gone,
        "any_410": gone,
        "any_413": _("This is too large for the console. Nothing was saved: make it shorter."),
        "any_429": _("Too many requests at once. Wait a few seconds, then try again."),
        "any_422": _("The console could not accept this. Nothing was changed."),
        "draft": _(
            "This text could not be saved as a draft. It stays in this tab, and is saved again "
            "once you change it."
        ),
        "draft_413": draft_long,
        "draft_422": draft_long,
        "upload_413": _("This file is too large for the console."),
        "proxy_403": _(
            "A proxy in front of the console refused this, not the console. Ask whoever runs it."
        ),
        "proxy_413": _(
            "A proxy in front of the console refused this as too large: its limit, not the "
            "console's. Make it shorter, or ask whoever runs the proxy to raise its limit."
        ),
        "proxy_413_upload": _(
            "A proxy in front of the console refused this upload as too large: its limit, not "
            "the console's. Ask whoever runs the proxy to raise it."
        ),
    }
