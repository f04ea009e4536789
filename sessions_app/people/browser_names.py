"""Names a browser by its User-Agent header: “Chrome on Windows”. Pure.

The header is what the browser says of itself. It is shown to its owner only, never trusted.
"""

from django.utils.translation import gettext as _

# The first that fits: browsers name those that they want to be taken for, too.
_PROGRAMS = (
    ("MicroMessenger", "WeChat"), ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung"),
    ("QQBrowser", "QQ"), ("UCBrowser", "UC"), ("HuaweiBrowser", "Huawei"),
    ("MiuiBrowser", "Xiaomi"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"),
    ("Chrome", "Chrome"), ("Chromium", "Chromium"), ("Safari", "Safari"), ("curl", "curl"),
)  # fmt: skip
_SYSTEMS = (
    ("OpenHarmony", "HarmonyOS"), ("HarmonyOS", "HarmonyOS"), ("iPhone", "iPhone"),
    ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def browser_name(header: str) -> str:
    """Browser and system, as far as they are known."""
    program = _first(_PROGRAMS, header)
    system = _first(_SYSTEMS, header)
    if program and system:
        return _("%(browser)s on %(system)s") % {"browser": program, "system": system}
    return program or system or _("Unknown browser")


def _first(names: tuple[tuple[str, str], ...], header: str) -> str:
    return next((name for sign, name in names if sign in header), "")
