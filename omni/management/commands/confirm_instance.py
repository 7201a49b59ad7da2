"""Lets an installation send that was found beside a restored or carried database."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from delivery import door as delivery
from governance.door import DoorCommand, Missing, Report, Role, allow


class Command(DoorCommand):
    help = "Say that an installation is no restored copy and may send. Without an id: list those that wait for that."
    needs_person = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("instance", nargs="?", default="", help="its id, as the list says it")

    def act(self, instance: str, **_: Any) -> Report:
        allow(self.actor, Role.ADMIN, "runs:launch")
        waiting = dict(delivery.held_instances())
        if not instance:
            return Report(tuple(f"{held}  {reason}" for held, reason in waiting.items()) or ("every installation may send",))
        if instance not in waiting:
            raise Missing(f"no installation {instance[:40]!r} waits for a confirmation")
        delivery.confirm_instance(self.actor, instance, now=timezone.now())
        return Report((f"{instance} may send",))
