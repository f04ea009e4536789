"""The CDN: stores ciphertexts by parameter and accepts only uploads that match their declaration.

Parameters contain `+`, `/` and `=` on purpose: clients that do not percent-encode them find
nothing. With a folder, ciphertexts are stored as files there, so that a restarted demo still has
its pictures.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sessions_app.simulator.media import aes

HEX32 = re.compile(r"[0-9a-fA-F]{32}\Z")
PARAM_START = "Sim+/"


@dataclass(frozen=True, slots=True)
class Ticket:
    """The declaration in getuploadurl. The upload must match it and is for this person only."""

    bot_id: str
    person_id: str
    filekey: str
    media_type: int
    rawsize: int
    rawfilemd5: str
    filesize: int
    key: bytes


@dataclass(frozen=True, slots=True)
class Upload:
    """A finished upload: for whom it is, and how to decrypt it."""

    ticket: Ticket
    param: str


@dataclass(frozen=True, slots=True)
class CdnRefusal:
    """A final 4xx. The sentence is sent as `x-error-message`."""

    status: int
    message: str


class Cdn:
    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._memory: dict[str, bytes] = {}
        self._tickets: dict[str, Ticket] = {}
        self._uploads: dict[str, Upload] = {}
        self.keys: dict[str, bytes] = {}
        """The keys with which the page decrypts files. WeChat's servers would not have them."""

    def put(self, encrypted: bytes, key: bytes | None = None) -> str:
        """Store bytes unchanged.

        Returns the download parameter. `key` is kept only for the page.
        """
        param = _fresh_param()
        if key is not None:
            self.keys[param] = key
        if self._folder is None:
            self._memory[param] = encrypted
        else:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file(param).write_bytes(encrypted)
        return param

    def get(self, param: str) -> bytes | None:
        if self._folder is None:
            return self._memory.get(param)
        file = self._file(param)
        return file.read_bytes() if file.is_file() else None

    def open_ticket(self, bot_id: str, wish: dict[str, Any]) -> tuple[str, Ticket] | str:
        """The upload parameter and its ticket, or a sentence that says what is wrong."""
        fault = wish_fault(wish)
        if fault:
            return fault
        ticket = Ticket(
            bot_id,
            wish["to_user_id"],
            wish["filekey"],
            wish["media_type"],
            wish["rawsize"],
            wish["rawfilemd5"].lower(),
            wish["filesize"],
            bytes.fromhex(wish["aeskey"]),
        )
        param = _fresh_param()
        self._tickets[param] = ticket
        return param, ticket

    def upload(self, param: str, filekey: str, body: bytes) -> Upload | CdnRefusal:
        """Check the ciphertext against its ticket.

        Repeating an upload creates an equal, new one.
        """
        ticket = self._tickets.get(param)
        if ticket is None:
            return CdnRefusal(403, "unknown encrypted_query_param")
        if ticket.filekey != filekey:
            return CdnRefusal(403, "filekey is not the one asked for")
        fault = _body_fault(ticket, body)
        if fault:
            return CdnRefusal(400, fault)
        upload = Upload(ticket, self.put(body, ticket.key))
        self._uploads[upload.param] = upload
        return upload

    def finished(self, param: str) -> Upload | None:
        return self._uploads.get(param)

    def clear(self) -> None:
        self._memory.clear()
        self.keys.clear()
        self._tickets.clear()
        self._uploads.clear()
        if self._folder is not None and self._folder.is_dir():
            for file in self._folder.glob("*.bin"):
                file.unlink(missing_ok=True)

    def _file(self, param: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{hashlib.sha256(param.encode()).hexdigest()[:40]}.bin"


def wish_fault(wish: dict[str, Any]) -> str:
    """What is wrong with the body of getuploadurl, or ""."""
    for name in ("filekey", "rawfilemd5", "aeskey"):
        if not (isinstance(wish.get(name), str) and HEX32.match(wish[name])):
            return f"{name} is not 32 hex characters"
    for name in ("rawsize", "filesize", "media_type"):
        if type(wish.get(name)) is not int or wish[name] < 0:
            return f"{name} is not a number"
    if wish["media_type"] not in (1, 2, 3, 4):
        return "media_type is not 1 to 4"
    if not (isinstance(wish.get("to_user_id"), str) and wish["to_user_id"]):
        return "to_user_id is missing"
    if wish["filesize"] != aes.ciphertext_size(wish["rawsize"]):
        return "filesize is not (rawsize // 16 + 1) * 16"
    return ""


def _body_fault(ticket: Ticket, body: bytes) -> str:
    if len(body) != ticket.filesize:
        return f"{len(body)} bytes came, {ticket.filesize} were declared"
    try:
        plain = aes.decrypt(body, ticket.key)
    except ValueError:
        return "the padding is wrong: not AES-128-ECB with this key"
    if len(plain) != ticket.rawsize:
        return f"{len(plain)} bytes after decryption, {ticket.rawsize} were declared"
    if aes.md5_hex(plain) != ticket.rawfilemd5:
        return "rawfilemd5 is not the md5 of the decrypted bytes"
    return ""


def _fresh_param() -> str:
    return PARAM_START + base64.b64encode(secrets.token_bytes(31)).decode()
