"""File names for headers and disks. Rows keep the original name. No I/O."""

import unicodedata

MOST_BYTES = 255
_SEPARATORS = '/\\:*?"<>|'


def download_name(name: str, fallback: str) -> str:
    """One line of at most 255 bytes, without separators or characters that reverse the text.

    The extension is kept, since it decides which program opens the file.
    """
    kept = "".join(
        "_" if _is_hostile(sign) else sign for sign in unicodedata.normalize("NFC", name)
    )
    kept = kept.strip(" .") or fallback
    while len(kept.encode()) > MOST_BYTES:
        stem, dot, ending = kept.rpartition(".")
        if not stem or len(ending) > 16:
            stem, dot, ending = kept, "", ""
        kept = f"{stem[:-1]}{dot}{ending}"
    return kept


def _is_hostile(sign: str) -> bool:
    """Controls, line ends, bidirectional marks, lone surrogates, and path separators."""
    return sign in _SEPARATORS or unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
