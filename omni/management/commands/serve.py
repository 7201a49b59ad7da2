"""Console, API and worker in one process."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from omni import embedded


class Command(BaseCommand):
    help = "Serve the console and the API, and send what is due, in one process (OMNI_HOST, OMNI_PORT). SIGTERM finishes what is in hand."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-worker", action="store_true", help="serve only; workers run elsewhere (manage.py worker, Celery)")

    def handle(self, *args: Any, **options: Any) -> None:
        listener = embedded.reserve(settings.OMNI.host, settings.OMNI.port)
        address = embedded.address_of(listener)
        embedded.adopt(address)
        raise SystemExit(
            embedded.serve(listener, worker=not options["no_worker"], ready=lambda: self.stdout.write(f"OMNI is at {address}/console/"))
        )
