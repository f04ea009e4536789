"""Folds text for comparing: the same words are found whatever their case, width or accents. Pure.

Databases differ here (SQLite folds ASCII only), so both sides are folded before they are stored or
asked for. `static/js/fold.js` does the same for lists that the page narrows by itself.
"""

import unicodedata


def fold(text: str) -> str:
    """NFKC, case folded, without accents, format and control characters; spaces are single.

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
