"""Where our own files lie and where data is kept: in a checkout, or installed from a wheel.

A checkout has `templates/` and `static/` beside the packages, and keeps `var/` and `.env` there
too. In a wheel both folders lie inside this package; `var/` and `.env` then belong to the folder
in which a command is started.
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
IS_INSTALLED = (PACKAGE / "templates").is_dir()
SOURCES = PACKAGE if IS_INSTALLED else PACKAGE.parent
"""Has `templates/` and `static/`."""
ROOT = Path.cwd() if IS_INSTALLED else PACKAGE.parent
"""Has `.env` and `var/`; relative paths in settings begin here."""
