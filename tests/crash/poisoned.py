"""`manage.py`, in which rendering one person's message crashes the process as a fault in a C library would.

python -m tests.crash.poisoned ADDRESS worker …
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omni.settings")


def main() -> None:
    poison = sys.argv.pop(1)
    import django

    django.setup()
    from django.core.management import execute_from_command_line

    from rendering import door as rendering

    fill = rendering.fill

    def crashing(compiled: Any, recipients: Sequence[Any], *more: Any, **named: Any) -> Any:
        if any(each.profile is not None and each.profile.email == poison for each in recipients):
            ctypes.string_at(0)  # SIGSEGV
        return fill(compiled, recipients, *more, **named)

    rendering.fill = crashing
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
