"""Folds text for comparison, so that case, width and accents do not matter. Pure.

Databases differ here (SQLite folds ASCII only), so text is folded before it is stored and before it
is searched for. `fold.js` does the same for lists filtered in the page.
"""

import unicodedata


def fold(text: str) -> str:
    """Apply NFKC and case folding; drop accents, format and control characters; collapse spaces.

    "ＭＡＲÍＡ  Straße" → "maria strasse".
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(
        " " if character.isspace() else character
        for character in unicodedata.normalize("NFD", plain)
        if not unicodedata.combining(character) and not _is_invisible(character)
    )
    return " ".join(unicodedata.normalize("NFKC", kept).split())


def _is_invisible(character: str) -> bool:
    return not character.isspace() and unicodedata.category(character) in ("Cc", "Cf")
