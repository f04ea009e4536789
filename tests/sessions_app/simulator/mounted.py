"""The simulator mounted under /simulator, for a Daphne started by a test."""

from typing import Any

from sessions_app.simulator.app import create_app

_simulator = create_app()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await _simulator({**scope, "root_path": "/simulator"}, receive, send)
