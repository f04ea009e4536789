"""Names that every door is tried with: the contract's rule as a list, door by door the same."""

BAD: dict[str, str] = {
    "": "name_empty",
    "../x": "name_forbidden", "a/b": "name_forbidden", "/etc": "name_forbidden",
    "a\\b": "name_forbidden", "C:": "name_forbidden",
    ".": "name_edges", "..": "name_edges", ".hidden": "name_edges",
    " a": "name_edges", "a ": "name_edges", " ": "name_edges",
    "x" * 65: "name_too_long", "x" * 300: "name_too_long", "名" * 67: "name_too_long",
    "🍜" * 51: "name_too_long",  # 51 characters, 204 bytes
    "a\x00b": "name_invisible", "a\nb": "name_invisible", "a\tb": "name_invisible",
    "\x7f": "name_invisible", "a\u200bb": "name_invisible", "\u202eevil": "name_invisible",
    "👩\u200d🍳": "name_invisible", "\ufeffshop": "name_invisible",
    "\u00ad": "name_invisible",  # a soft hyphen alone: nothing to see
    "token.json": "name_reserved", "Contexts.JSON": "name_reserved",
    "messages.db": "name_reserved", "messages.db-wal": "name_reserved",
}  # fmt: skip
"""Name → the code of the reason. Surrogates come through Python alone: `SURROGATE`."""

SURROGATE = "\ud800"

FINE = [
    "名字",
    "Shop A · 小店",
    "🍜",
    "e\u0301te\u0301",
    "a.b",
    "100% & more?#",
    "x" * 64,
    "default 2",
]

CLASHES = [
    ("Shop", "shop"), ("Shop", "SHOP"), ("straße", "STRASSE"), ("STRASSE", "straße"),
    ("Été", "E\u0301TE\u0301"), ("ΣΟΦΟΣ", "σοφος"),
]  # fmt: skip
"""A name that is there, and one that clashes with it."""
