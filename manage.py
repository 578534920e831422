#!/usr/bin/env python
"""Django's command line for B24 Interconnector."""

import os
import sys
from importlib.util import find_spec

from django.core.management import execute_from_command_line

SANDBOX_COMMANDS = ("emulate", "demo", "bench")


def main(arguments: list[str]) -> None:
    """Run one command; those of the sandbox need a checkout, because production leaves it out."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "interconnector.settings")
    command = arguments[1] if len(arguments) > 1 else ""
    if command in SANDBOX_COMMANDS and find_spec("sandbox") is None:
        sys.exit(
            f"`manage.py {command}` is not part of a production installation: run it from a checkout of the "
            "source, which holds sandbox/."
        )
    execute_from_command_line(arguments)


if __name__ == "__main__":
    main(sys.argv)
