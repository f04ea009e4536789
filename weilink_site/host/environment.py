"""What belongs to the host: environment variables and `.env`, typed, failing loudly.

Nothing else in the project reads `os.environ`. Texts, limits and hours belong to the team and
live in the database, never here.
"""

import os
import secrets
from pathlib import Path
from typing import Annotated, Any, Literal

from cryptography.fernet import Fernet
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from weilink_site.host import values
from weilink_site.host.places import ROOT

VAR = ROOT / "var"
ENV_FILE = ROOT / ".env"
MOST_HOURS = 10 * 365 * 24


def _as_list(value: object) -> object:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _in_project(path: Path) -> Path:
    """Make a relative path absolute: it begins at ROOT."""
    return ROOT / path.expanduser()


def _a_secret(value: SecretStr) -> SecretStr:
    values.credential_keys(value.get_secret_value())
    return value


def _a_database(url: str) -> str:
    if url:
        values.database(url, root=ROOT)
    return url


Network = Annotated[str, AfterValidator(values.network)]
AllowedHost = Annotated[str, AfterValidator(values.allowed_host)]
Url = Annotated[str, AfterValidator(values.service_url)]
Folder = Annotated[Path, AfterValidator(_in_project)]
Commas = BeforeValidator(_as_list)


class HostSettings(BaseSettings):
    """One field per variable of `.env.example`, with its default."""

    model_config = SettingsConfigDict(env_file=ENV_FILE, extra="ignore", env_ignore_empty=True)

    secret_key: SecretStr | None = None
    secret_key_fallbacks: SecretStr | None = None
    weilink_credential_keys: Annotated[SecretStr, AfterValidator(_a_secret)] | None = None
    debug: bool = False
    public_url: Annotated[str, AfterValidator(values.public_url)] | None = None
    port: int = Field(default=8000, ge=1, le=65535)
    allowed_hosts: Annotated[list[AllowedHost], NoDecode, Commas] = []
    trusted_proxies: Annotated[list[Network], NoDecode, Commas] = []
    database_url: Annotated[str, AfterValidator(_a_database)] = ""
    redis_url: Annotated[str, AfterValidator(values.redis_url)] = ""
    weilink_base_path: Folder = Path("~/.weilink").expanduser()
    weilink_store: Literal["files", "database"] = "files"
    weilink_ilink_url: Url = "https://ilinkai.weixin.qq.com"
    weilink_cdn_url: Url = "https://novac2c.cdn.weixin.qq.com/c2c"
    weilink_media_root: Folder = VAR / "media"
    weilink_sign_in_idle_hours: int = Field(default=14 * 24, ge=1, le=MOST_HOURS)
    weilink_sign_in_max_hours: int = Field(default=90 * 24, ge=1, le=MOST_HOURS)
    log_level: Annotated[str, AfterValidator(values.log_level)] = "INFO"
    weilink_log_format: Literal["text", "json"] = "text"

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
        config = self.database()
        return Path(config["NAME"]).parent if config["ENGINE"] == values.SQLITE else VAR

    def resolved_public_url(self) -> str:
        return self.public_url or f"http://localhost:{self.port}"

    def database(self) -> dict[str, Any]:
        """Django's settings of the database, its path absolute."""
        if not self.database_url:
            return {"ENGINE": values.SQLITE, "NAME": str(self.data_dir / "console.sqlite3")}
        return values.database(self.database_url, root=ROOT)


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


class PortSettings(BaseSettings):
    """The one variable that the demo takes from outside."""

    model_config = SettingsConfigDict(env_file=ENV_FILE, extra="ignore", env_ignore_empty=True)

    port: int = Field(default=8000, ge=1, le=65535)


def is_demo() -> bool:
    return os.environ.get("WEILINK_DEMO") == "1"


def load() -> HostSettings:
    """Read the environment once; a wrong value ends the process with its name."""
    try:
        return DemoSettings.for_port(PortSettings().port) if is_demo() else HostSettings()
    except ValidationError as error:
        raise SystemExit("\n".join(_sentence(one) for one in error.errors())) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SystemExit(f"{ENV_FILE} cannot be read: {error}.") from None


def _sentence(problem: ErrorDetails) -> str:
    """Without the value that was given: it may be a secret."""
    name = str(problem["loc"][0]).upper()
    words = problem["msg"].removeprefix("Value error, ")
    return f"{name} in the environment or .env: {words[:1].lower()}{words[1:]}."


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
    return _kept(host.key_dir / "secret_key", secrets.token_urlsafe(50))


def secret_key_fallbacks(host: HostSettings) -> list[str]:
    """Former values of SECRET_KEY: what they signed is still accepted, and nothing new signed."""
    given = host.secret_key_fallbacks
    text = given.get_secret_value() if given is not None else ""
    return [key.strip() for key in text.split(",") if key.strip()]


def credential_keys(host: HostSettings) -> list[str]:
    """Fernet keys, newest first, for tokens in the database."""
    if host.weilink_credential_keys is not None:
        return values.credential_keys(host.weilink_credential_keys.get_secret_value())
    path = host.key_dir / "credential_keys"
    text = _kept(path, Fernet.generate_key().decode())
    try:
        return values.credential_keys(text)
    except ValueError as error:
        raise SystemExit(f"{path} {error}.") from None


def _kept(path: Path, fresh: str) -> str:
    """`kept_secret`, which ends the process in one sentence where it cannot be kept."""
    try:
        return kept_secret(path, fresh)
    except (OSError, UnicodeDecodeError) as error:
        raise SystemExit(f"{path} cannot be kept: {_reason(error)}.") from None


def made_folder(path: Path) -> Path:
    """The folder, made where it is missing; ends the process where it cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SystemExit(f"The folder {path} cannot be made: {_reason(error)}.") from None
    return path


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or "it is no text"
