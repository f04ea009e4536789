"""File names as headers and disks take them; pure. What WeChat and people say stays in the row."""

import unicodedata

MOST_BYTES = 255
_SEPARATORS = '/\\:*?"<>|'


def download_name(name: str, fallback: str) -> str:
    """One line without separators and without signs that turn letters around; 255 bytes at most.

    The end of the name stays: it is what opens the file.
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
    """Controls, line ends, bidirectional marks, lone surrogates, and what separates folders."""
    return sign in _SEPARATORS or unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
