"""What belongs to the host: environment variables and `.env`, typed, failing loudly.

Nothing else in the project reads `os.environ`. Texts, limits and hours belong to the team and
live in the database, never here.
"""

import ipaddress
import os
import secrets
from pathlib import Path
from typing import Annotated, Literal

import dj_database_url
from cryptography.fernet import Fernet
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"

CommaList = Annotated[list[str], NoDecode]


def _as_list(value: object) -> object:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


class HostSettings(BaseSettings):
    """One field per variable of `.env.example`, with its default."""

    model_config = SettingsConfigDict(env_file=ROOT / ".env", extra="ignore", env_ignore_empty=True)

    secret_key: SecretStr | None = None
    weilink_credential_keys: SecretStr | None = None
    debug: bool = False
    public_url: str = ""
    port: int = Field(default=8000, ge=1, le=65535)
    allowed_hosts: CommaList = []
    trusted_proxies: CommaList = []
    database_url: str = ""
    redis_url: str = ""
    weilink_base_path: Path = Path("~/.weilink")
    weilink_store: Literal["files", "database"] = "files"
    weilink_ilink_url: str = "https://ilinkai.weixin.qq.com"
    weilink_cdn_url: str = "https://novac2c.cdn.weixin.qq.com/c2c"
    weilink_media_root: Path = VAR / "media"
    log_level: str = "INFO"

    _split = field_validator("allowed_hosts", "trusted_proxies", mode="before")(_as_list)

    @field_validator("public_url", "weilink_ilink_url", "weilink_cdn_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: list[str]) -> list[str]:
        for proxy in value:
            try:
                ipaddress.ip_network(proxy, strict=False)
            except ValueError:
                words = f"“{proxy}” is no address or network, as in 127.0.0.1 or 10.0.0.0/8"
                raise ValueError(words) from None
        return value

    @property
    def key_dir(self) -> Path:
        """Where keys are made on the first run: `var/`, wherever the database is."""
        return VAR

    @property
    def data_dir(self) -> Path:
        """The folder of spool, lock and gathered static files: beside the data they belong to.

        That is the folder of a SQLite database file, by default `var/`; a database server has
        no folder here, so its console keeps them in `var/`.
        """
        if not self.database_url:
            return VAR
        database = dj_database_url.parse(self.database_url)
        if not database["ENGINE"].endswith("sqlite3") or database["NAME"] == ":memory:":
            return VAR
        return Path(database["NAME"]).absolute().parent

    def resolved_public_url(self) -> str:
        return self.public_url or f"http://localhost:{self.port}"

    def resolved_database_url(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'console.sqlite3'}"


class DemoSettings(HostSettings):
    """`make demo`: only the port is taken from outside, so that no real data can be touched."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore")

    @classmethod
    def for_port(cls, port: int) -> "DemoSettings":
        demo = VAR / "demo"
        here = f"http://127.0.0.1:{port}/simulator"
        return cls.model_construct(
            port=port,
            weilink_base_path=demo / "weilink",
            weilink_media_root=demo / "media",
            weilink_ilink_url=here,
            weilink_cdn_url=f"{here}/c2c",
        )

    @property
    def key_dir(self) -> Path:
        return VAR / "demo"

    @property
    def data_dir(self) -> Path:
        return VAR / "demo"


def is_demo() -> bool:
    return os.environ.get("WEILINK_DEMO") == "1"


def load() -> HostSettings:
    """Read the environment once; a wrong value ends the process with its name."""
    if is_demo():
        return DemoSettings.for_port(int(os.environ.get("PORT") or 8000))
    try:
        return HostSettings()
    except ValidationError as error:
        raise SystemExit("\n".join(_sentence(one) for one in error.errors())) from None


def _sentence(problem: ErrorDetails) -> str:
    """Without the value that was given: it may be a secret."""
    name = "_".join(str(part) for part in problem["loc"]).upper()
    return f"{name} in the environment or .env: {problem['msg'].removeprefix('Value error, ')}."


def kept_secret(path: Path, fresh: str) -> str:
    """The text of `path` (mode 600); made from `fresh` the first time, whole or not at all."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(fresh + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # the first process wins; nobody overwrites a key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def secret_key(host: HostSettings) -> str:
    if host.secret_key is not None:
        return host.secret_key.get_secret_value()
    return kept_secret(host.key_dir / "secret_key", secrets.token_urlsafe(50))


def credential_keys(host: HostSettings) -> list[str]:
    """Fernet keys, newest first, for tokens in the database."""
    if host.weilink_credential_keys is not None:
        text = host.weilink_credential_keys.get_secret_value()
    else:
        text = kept_secret(host.key_dir / "credential_keys", Fernet.generate_key().decode())
    return [key.strip() for key in text.split(",") if key.strip()]
