"""The folder and WeChat addresses of the Python API, from arguments and environment.

Only this module of the API reads the environment: WEILINK_BASE_PATH, WEILINK_ILINK_URL and
WEILINK_CDN_URL, nothing else.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sessions_app.folder.store.values import TOKEN_FILE
from sessions_app.ilink.hosts import HostPolicy
from sessions_app.ilink.wire import ClientIdentity

ILINK_URL = "https://ilinkai.weixin.qq.com"
CDN_URL = "https://novac2c.cdn.weixin.qq.com/c2c"
BASE_PATH = "~/.weilink"

StrPath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Configuration:
    """`flat_default`: a token file with its own name, as used by old code, or ""."""

    base: Path
    flat_default: str
    ilink_url: str
    cdn_url: str
    identity: ClientIdentity

    def hosts(self) -> HostPolicy:
        return HostPolicy(self.ilink_url, self.cdn_url)


def configuration(
    token_path: StrPath | None,
    base_path: StrPath | None,
    environment: Mapping[str, str] = os.environ,
) -> Configuration:
    """`token_path` has priority over `base_path`, and both over the environment."""
    flat_default = ""
    if token_path is not None:
        token_file = Path(token_path).expanduser().absolute()
        base = token_file.parent
        flat_default = "" if token_file.name == TOKEN_FILE else token_file.name
    else:
        base = Path(base_path or environment.get("WEILINK_BASE_PATH") or BASE_PATH)
    return Configuration(
        base=base.expanduser().absolute(),
        flat_default=flat_default,
        ilink_url=(environment.get("WEILINK_ILINK_URL") or ILINK_URL).rstrip("/"),
        cdn_url=(environment.get("WEILINK_CDN_URL") or CDN_URL).rstrip("/"),
        identity=_identity(),
    )


def _identity() -> ClientIdentity:
    try:
        number = version("weilink-console")
    except PackageNotFoundError:  # run from a checkout without installation
        number = "0.0.0"
    return ClientIdentity(app_version=number, bot_agent=f"WeiLinkConsole/{number}")
