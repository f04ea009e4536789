"""The rules for the headers and the `base_info` of every request of a bot. Pure.

Each violation is one sentence. The rules come from the paper, never from the client's code.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

UINT32_MAX = 2**32 - 1
BOT_AGENT_LIMIT_BYTES = 256
_VERSION = re.compile(r"\d+\.\d+\.\d+\Z")


def app_header_faults(headers: Mapping[str, str]) -> list[str]:
    """Violations in the two `iLink-App-*` headers, which every request needs."""
    faults = []
    if headers.get("ilink-app-id") != "bot":
        faults.append("iLink-App-Id is not 'bot'")
    version = headers.get("ilink-app-clientversion", "")
    if not (version.isascii() and version.isdigit()):
        faults.append("iLink-App-ClientVersion is not a decimal number")
    return faults


def post_header_faults(headers: Mapping[str, str]) -> list[str]:
    """Violations in the headers that every POST needs."""
    faults = []
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        faults.append("Content-Type is not application/json")
    if headers.get("authorizationtype") != "ilink_bot_token":
        faults.append("AuthorizationType is not 'ilink_bot_token'")
    if not _is_uin(headers.get("x-wechat-uin", "")):
        faults.append("X-WECHAT-UIN is not base64 of a decimal uint32")
    return faults


def base_info_faults(body: Mapping[str, Any]) -> list[str]:
    """Violations in `base_info: {channel_version: "x.y.z", bot_agent: ASCII, up to 256 bytes}`."""
    info = body.get("base_info")
    if not isinstance(info, dict):
        return ["base_info is missing"]
    faults = []
    version = info.get("channel_version")
    if not (isinstance(version, str) and _VERSION.match(version)):
        faults.append("base_info.channel_version is not x.y.z")
    agent = info.get("bot_agent")
    if not (isinstance(agent, str) and agent.isascii() and 0 < len(agent) <= BOT_AGENT_LIMIT_BYTES):
        faults.append("base_info.bot_agent is not 1 to 256 bytes of ASCII")
    return faults


def bearer_token(headers: Mapping[str, str]) -> str:
    """The bot token of the request, or ""."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _is_uin(value: str) -> bool:
    try:
        text = base64.b64decode(value, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return False
    return text.isdigit() and str(int(text)) == text and int(text) <= UINT32_MAX
