"""Texts with signs that nobody sees, for the server and for the page, which show them alike."""

FLAG = "\U0001f3f4"
ENGLAND = f"{FLAG}\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
SCOTLAND = f"{FLAG}\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"

SHOWN = [
    ("invoice\u202efdp.exe", "invoice[U+202E]fdp.exe"),
    ("a\u2066b\u2069.txt", "a[U+2066]b[U+2069].txt"),
    ("a\u200fb\u061c.txt", "a[U+200F]b[U+061C].txt"),
    ("a\nb\tc\x00\x7f.txt", "a␊b␉c␀␡.txt"),
    ("a\u2028b\x85.txt", "a[U+2028]b[U+0085].txt"),
    ("zero\u200bwidth\u2060\ufeff\xad", "zero[U+200B]width[U+2060][U+FEFF][U+00AD]"),
    ("blank\u3164\u2800\u115f", "blank[U+3164][U+2800][U+115F]"),
    ("tag\U000e0041.txt", "tag[U+E0041].txt"),
    ("a\u034fb", "a[U+034F]b"),
    ("a\U000e0101b\U0001d173", "a[U+E0101]b[U+1D173]"),
    # Joiners where nothing joins.
    ("a\u200db", "a[U+200D]b"),
    ("张\u200d伟", "张[U+200D]伟"),
    ("张\u200c伟", "张[U+200C]伟"),
    ("é\u200dé", "é[U+200D]é"),
    ("а\u200dб", "а[U+200D]б"),
    ("か\u200dな", "か[U+200D]な"),
    ("ש\u200dש", "ש[U+200D]ש"),
    ("\u200dم", "[U+200D]م"),
    ("م\u200d\u200dم", "م[U+200D][U+200D]م"),
    ("क\u200c\u200d", "क[U+200C][U+200D]"),
    ("👨\u200d\u200d👩", "👨[U+200D][U+200D]👩"),
    ("👨\u200c👩", "👨[U+200C]👩"),
    ("👨\u200d.png", "👨[U+200D].png"),
    ("a\u200d👩", "a[U+200D]👩"),
    ("a\ufe0f\u200d👩", "a[U+FE0F][U+200D]👩"),
    # Selectors where nothing is selected.
    ("a\ufe0fb", "a[U+FE0F]b"),
    ("a\ufe00b", "a[U+FE00]b"),
    ("1\ufe0f2", "1[U+FE0F]2"),
    ("❤\ufe0f\ufe0f", "❤\ufe0f[U+FE0F]"),
    ("❤\ufe00", "❤[U+FE00]"),
    ("葛\U000e0101\U000e0101", "葛\U000e0101[U+E0101]"),
    ("葛\ufe00\ufe00", "葛\ufe00[U+FE00]"),
    # Letters of a flag that is none.
    (f"{FLAG}\U000e0061\U000e007f", f"{FLAG}[U+E0061][U+E007F]"),
    (FLAG + "\U000e0061" * 50 + "\U000e007f", f"{FLAG}{'[U+E0061]' * 50}[U+E007F]"),
    (f"{FLAG}\U000e0067\U000e0062", f"{FLAG}[U+E0067][U+E0062]"),
    (f"{ENGLAND}\U000e0061", f"{ENGLAND}[U+E0061]"),
    # Blank signs, and controls of scripts that few fonts know.
    ("a\U0001d159b", "a[U+1D159]b"),
    ("a\U00013430b\U00013438\U00013440\U00013442", "a[U+13430]b[U+13438][U+13440][U+13442]"),
    ("a\U00016fe4\U0001107f\u2d7f", "a[U+16FE4][U+1107F][U+2D7F]"),
    ("a\ufffc\ufffe\uffff\ufdd0", "a[U+FFFC][U+FFFE][U+FFFF][U+FDD0]"),
]  # fmt: skip
"""What was written, and how it is shown."""

WRITING = [
    "", "发票 2026.pdf", "naïve — “x”.doc", "חשבונית.pdf",
    "می\u200cخواهم.txt", "فایل PDF\u200cها", "ه\u200d", "ܐ\u200dܒ", "ߊ\u200dߋ",
    "ന്\u200d .txt", "ශ්\u200dරී", "र्\u200dय", "ក\u200cខ",
    "ᠮᠣᠩᠭᠣ\u180bᠯ", "ᠮ\u200dᠣ", "葛\U000e0101飾.pdf", "葛\ufe00飾",
    "👨\u200d👩\u200d👧.png", "👩🏽\u200d⚕\ufe0f", "❤\ufe0f\u200d🔥",
    "🐈\u200d⬛", "🙂\u200d↔\ufe0f",
    f"{FLAG}\u200d☠\ufe0f", "🏳\ufe0f\u200d🌈", "❤\ufe0f.jpg", "☺\ufe0e",
    "1\ufe0f\u20e3#\ufe0f\u20e3",
    "©\ufe0f™\ufe0f‼\ufe0f㊙\ufe0f〰\ufe0f", ENGLAND, SCOTLAND, "🇩🇪",
]  # fmt: skip
"""What has something to say where it stands."""
