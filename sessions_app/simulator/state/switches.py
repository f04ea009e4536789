"""Switches for behaviour of WeChat on which reports disagree, each with a default.

A switch changes the behaviour from the next request on, never what has already happened.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from sessions_app.simulator.errors import BadValueError

CHOICES: dict[str, tuple[str, ...]] = {
    "cursor_mode": ("replay", "consumed"),
    "session_expired_in": ("errcode", "ret", "both"),
    "upload_address": ("both", "full", "param"),
    "media_address": ("both", "full_url", "param"),
    "key_encoding": ("base64_hex", "base64_raw", "hex", "rotate"),
}


@dataclass
class Switches:
    """The defaults are the safer reading of the protocol paper. Names contain the unit."""

    strict: bool = False
    """Refuse (ret -1) requests whose headers or base_info break the rules, not only record them."""
    cursor_mode: str = "replay"
    """replay: an old cursor brings everything after it again; consumed: each message comes once."""
    hold_s: float = 35.0
    tells_hold: bool = True
    """Include `longpolling_timeout_ms` in the answer of getupdates."""
    batch_limit: int = 50
    session_expired_in: str = "errcode"
    """The field of the code -14: `errcode`, `ret`, or both."""
    gives_message_ids: bool = True
    answers_empty_object: bool = False
    """Answer `{}` to a successful sendmessage, as older servers did."""
    dropped_gives_id: bool = False
    """Answer with a message_id even if a reply is accepted and dropped."""
    needs_notifystart: bool = True
    """Without notifystart or the iLink-App-* headers, show only the first reply."""
    only_newest_token: bool = True
    replies_per_token: int = 10
    window_s: float = 86_400.0
    text_limit_bytes: int = 16_384
    pace_on: bool = True
    pace_count: int = 12
    pace_s: float = 300.0
    qr_lifetime_s: float = 300.0
    verify_code_tries: int = 3
    redirect_host: str = ""
    """The host in `scaned_but_redirect`. Empty: the host and port of the request."""
    baseurl: str = ""
    """The baseurl in `confirmed`. Empty: the simulator's own URL."""
    same_bot_id_again: bool = False
    """Give the first bot's id again at the account's second login (with a new token)."""
    typing_ticket_lifetime_s: float = 86_400.0
    upload_address: str = "both"
    max_upload_bytes: int = 200_000_000
    media_address: str = "both"
    key_encoding: str = "base64_hex"
    image_aeskey: bool = True
    """Pictures have `image_item.aeskey` (raw hex) beside `media.aes_key`."""
    quotes_carry_text: bool = True
    echoes_bot_messages: bool = False
    """Put each shown reply into the bot's own updates, with message_type 2."""
    scripts_on: bool = False
    """Let scripted people write to newly bound bots and react to replies."""

    def update(self, changes: dict[str, Any]) -> None:
        """Set several switches, all or none. Raises BadValueError that names the wrong one."""
        checked = {name: self._checked(name, value) for name, value in changes.items()}
        for name, value in checked.items():
            setattr(self, name, value)

    def _checked(self, name: str, value: Any) -> Any:
        if name not in {field.name for field in dataclasses.fields(self)}:
            raise BadValueError(f"there is no switch {name!r}")
        if name in CHOICES and value not in CHOICES[name]:
            raise BadValueError(f"{name} is one of {', '.join(CHOICES[name])}")
        wanted = type(getattr(self, name))
        if wanted is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not wanted:
            raise BadValueError(f"{name} is a {wanted.__name__}")
        if wanted in (int, float) and value < 0:
            raise BadValueError(f"{name} is not negative")
        return value

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)
