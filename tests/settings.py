"""The project's settings for tests: nothing of this machine's `.env`, nothing under var/ but temp.

DATABASE_URL may name a server, and TEST_TEMPLATE a migrated database there to start from; else the
tests run on SQLite in a folder that goes away.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

from weilink_site.host import environment

_folder = Path(tempfile.mkdtemp(prefix="weilink-tests-"))
atexit.register(shutil.rmtree, _folder, ignore_errors=True)

environment.HostSettings.model_config["env_file"] = None
for _name in list(os.environ):
    if _name.startswith("WEILINK_") or _name in {"PUBLIC_URL", "DEBUG", "REDIS_URL", "PORT"}:
        del os.environ[_name]
os.environ["SECRET_KEY"] = "only-for-tests"
os.environ["WEILINK_CREDENTIAL_KEYS"] = Fernet.generate_key().decode()
os.environ["WEILINK_BASE_PATH"] = str(_folder / "weilink")
# Sessions in the database; the tests of the shared folder say so, with a folder of their own.
os.environ["WEILINK_STORE"] = "database"
os.environ["WEILINK_MEDIA_ROOT"] = str(_folder / "media")
os.environ.setdefault("DATABASE_URL", f"sqlite:///{_folder / 'unused.sqlite3'}")

from weilink_site.settings import *  # noqa: E402, F403

DATA_DIR = _folder
STATIC_ROOT = _folder / "static"
STATIC_ROOT.mkdir()
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# A file, not memory: the worker's threads have connections of their own, as in production.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": str(_folder / "test.sqlite3")}  # noqa: F405
    # No test outlives a power cut, so no commit need wait for the disk.
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"  # noqa: F405
elif _template := os.environ.get("TEST_TEMPLATE"):
    # A migrated database on the same server, which the tests' own is a copy of.
    DATABASES["default"]["TEST"] = {"TEMPLATE": _template, "MIGRATE": False}  # noqa: F405
# Its probes would open connections of their own beside the tests'.
LOGGING["handlers"]["stderr"]["filters"] = []  # noqa: F405
