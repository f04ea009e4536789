"""What a backup says of itself, sealed with the credential keys.

The seal is the checksum of the manifest, encrypted: it shows that nobody changed the file, and that
the keys here are those that it was made with.
"""

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from django.conf import settings

from sessions_app.database.encryption import DecryptionError, decrypt, encrypt
from weilink_site.backup.refused import Refused

FORMAT = 1
Kind = Literal["sqlite", "postgresql"]
KIND_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """`made_at` in UTC, ISO 8601. `rows`: table → number of rows. `migrations`: "app.name".

    `source`: the database's address without a password. `server`: PostgreSQL's major version, 0 for
    SQLite. `schema`: where its tables are. `keys`: fingerprints of the credential keys, newest
    first. `members`, `size_bytes` and `checksums` (SHA-256 of the list of checksums) are those of
    the other members. `left_out`: how many files could not be read.
    """

    format: int = FORMAT
    version: str
    made_at: str
    kind: str
    source: str
    server: int = 0
    schema: str = ""
    migrations: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    media: str
    media_files: int = 0
    store: str
    left_out: int = 0
    keys: list[str] = field(default_factory=list)
    secret_key: str = ""
    members: int = 0
    size_bytes: int = 0
    checksums: str = ""
    seal: str = ""

    def digest(self) -> str:
        plain = asdict(replace(self, seal=""))
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()

    def sealed(self) -> "Manifest":
        return replace(self, seal=encrypt(self.digest()))

    def as_json(self) -> bytes:
        return json.dumps(asdict(self), indent=2, sort_keys=True).encode()

    @classmethod
    def from_json(cls, content: bytes) -> "Manifest":
        """Raises Refused."""
        try:
            fields: Any = json.loads(content)
            number = fields["format"]
            if number == FORMAT:
                return cls(**fields)
        except (ValueError, TypeError, KeyError):
            raise Refused(
                "Its manifest cannot be read: the file is damaged; use another backup."
            ) from None
        raise Refused(f"It has the format {number}, made by a newer release: install that first.")

    def check_keys(self) -> None:
        """Raises Refused: keys are missing here, or somebody changed the manifest."""
        ours = {fingerprint(key) for key in settings.CREDENTIAL_KEYS}
        if missing := [key for key in self.keys if key not in ours]:
            raise Refused(
                f"WEILINK_CREDENTIAL_KEYS lacks {len(missing)} of the {len(self.keys)} keys that "
                f"this backup was made with ({', '.join(missing)}): bring back the keys of that "
                "installation, from its .env or its var/credential_keys."
            )
        try:
            is_true = hmac.compare_digest(decrypt(self.seal), self.digest())
        except DecryptionError:
            is_true = False
        if not is_true or not self.seal:
            raise Refused("Its manifest was changed after it was made: use another backup.")

    @property
    def has_our_secret_key(self) -> bool:
        return any(hmac.compare_digest(self.secret_key, one) for one in _secret_key_marks())


def fingerprint(key: str) -> str:
    """Tells keys apart without telling anything about them."""
    return hashlib.sha256(b"weilink-console backup key " + key.encode()).hexdigest()[:16]


def key_fingerprints() -> list[str]:
    return [fingerprint(key) for key in settings.CREDENTIAL_KEYS]


def secret_key_mark() -> str:
    """Depends on a credential key, too: a weak SECRET_KEY cannot be guessed from it."""
    return _secret_key_marks()[0]


def _secret_key_marks() -> list[str]:
    secret = str(settings.SECRET_KEY).encode()
    return [
        hmac.new(key.encode(), b"weilink-console backup " + secret, "sha256").hexdigest()
        for key in settings.CREDENTIAL_KEYS
    ]
