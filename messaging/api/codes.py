"""All status and error codes that the API can answer with. docs/api.md has them as a table.

The schema lists them. Tests compare every answer, the table and the schema with this list.
"""

CODES: dict[int, tuple[str, ...]] = {
    400: ("bad_request",),
    401: ("unauthorized",),
    403: ("forbidden", "wrong_scope", "csrf"),
    404: ("not_found", "unknown_session"),
    405: ("method_not_allowed",),
    408: ("too_slow",),
    409: (
        "no_context", "window_closed", "quota_exhausted", "session_offline",
        "key_reused",
        "already_decided", "already_sent", "already_failed", "already_cancelled",
        "being_sent", "not_confirmed", "not_outgoing", "still_queued",
        "already_connected", "not_connected", "no_code_wanted", "nothing_to_resolve",
        "name_in_use",
    ),
    413: ("too_large",),
    416: ("range_not_satisfiable",),
    422: (
        "invalid", "empty", "text_too_long", "unknown_message",
        "file_too_large", "too_many_files", "too_many_waiting", "wrong_kind", "unknown_upload",
        "name_empty", "name_too_long", "name_invisible", "name_forbidden", "name_edges",
        "name_reserved", "name_default",
    ),
    429: ("rate_limited", "too_many_at_once"),
    500: ("server_error",),
    501: ("not_available",),
    503: ("unavailable",),
}  # fmt: skip

EVERY_CODE = sorted({code for codes in CODES.values() for code in codes})


def code_for(status: int) -> str:
    """The first code listed for a status. An unlisted status gets the code of its class."""
    fallback = "server_error" if status >= 500 else "bad_request"
    return CODES.get(status, (fallback,))[0]
