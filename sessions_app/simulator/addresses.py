"""The simulator's own URLs, as seen by one request.

If mounted (root_path is set), everything is below the mount, with the page at its root. Otherwise
the API is at the root and the page below `/simulator/`. Only this module builds URLs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit


@dataclass(frozen=True)
class Addresses:
    """`api` and `page` have no trailing slash. `host` is host:port."""

    api: str
    page: str
    host: str

    @property
    def cdn(self) -> str:
        return f"{self.api}/c2c"

    def scan_page(self, handle: str) -> str:
        return f"{self.page}/scan?code={quote(handle, safe='')}"

    def download(self, param: str) -> str:
        return f"{self.cdn}/download?encrypted_query_param={quote(param, safe='')}"

    def upload(self, param: str, filekey: str) -> str:
        query = f"encrypted_query_param={quote(param, safe='')}&filekey={quote(filekey, safe='')}"
        return f"{self.cdn}/upload?{query}"


def mount_of(scope: Mapping[str, Any]) -> str:
    """The prefix of the mount, without a trailing slash. "" if not mounted."""
    return str(scope.get("root_path", "")).rstrip("/")


def own_path(scope: Mapping[str, Any]) -> str:
    """The path below the mount, whether or not the mounting server removed the prefix."""
    path, mount = str(scope["path"]), mount_of(scope)
    if mount and (path == mount or path.startswith(mount + "/")):
        return path[len(mount) :]
    return path


def addresses_for(scope: Mapping[str, Any], public_url: str | None) -> Addresses:
    """From the configured public URL (with or without the mount), or else from the Host header."""
    mount = mount_of(scope)
    root = (public_url or _seen_root(scope)).rstrip("/")
    if mount and not root.endswith(mount):
        root += mount
    page = root if mount else f"{root}/simulator"
    return Addresses(api=root, page=page, host=urlsplit(root).netloc)


def _seen_root(scope: Mapping[str, Any]) -> str:
    headers = dict(scope.get("headers", ()))
    host = headers.get(b"host", b"").decode("latin-1")
    if not host:
        name, port = scope.get("server") or ("127.0.0.1", 80)
        host = f"{name}:{port}"
    return f"{scope.get('scheme', 'http')}://{host}"
