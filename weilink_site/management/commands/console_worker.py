"""`manage.py console_worker`: started by `manage.py console` for its worker; not for people."""

import os
import socket
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from weilink_site.worker_process import end_with, run_worker_of_console


class Command(BaseCommand):
    help = "The worker of `console`, which starts this command by itself."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--link", type=int, required=True, help="socket to the console")
        parser.add_argument("--parent", type=int, default=os.getppid(), help="its console")

    def handle(self, *args: Any, **options: Any) -> None:
        end_with(options["parent"])
        connections.close_all()
        run_worker_of_console(socket.socket(fileno=options["link"]))
