"""`manage.py simulator`: the simulated WeChat as a process of its own.

It must never use the database or the session folder; it knows the console only by its requests.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sessions_app.simulator.app import create_app
from sessions_app.simulator.serve import listen, serve
from sessions_app.simulator.state.wechat import SimulatedWeChat

DEFAULT_PORT = 8010


class Command(BaseCommand):
    help = "Serves the simulated WeChat alone: /ilink/bot/…, /c2c/… and the page /simulator/"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0: any free port")
        parser.add_argument("--public-url", help="the address that answers carry")
        parser.add_argument("--state", type=Path, help="a file that keeps bots over a restart")
        parser.add_argument("--scripted", action="store_true", help="people write by themselves")
        parser.add_argument("--hold", type=float, default=35.0, help="seconds a poll is held")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        try:
            listener = listen(host, port)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise CommandError(
                f"Port {port} on {host} is taken or not ours ({reason}); choose another"
                " with --port."
            ) from error
        wechat = SimulatedWeChat(
            hold_s=options["hold"], state_file=options["state"], scripted=options["scripted"]
        )
        port = listener.getsockname()[1]
        self.stdout.write(f"Simulated WeChat at http://{host}:{port}/simulator/")
        self.stdout.flush()
        serve(create_app(wechat, public_url=options["public_url"]), listener)
