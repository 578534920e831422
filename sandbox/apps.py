"""The sandbox as a Django app, so that `manage.py` finds its commands: emulate, demo, bench."""

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    """What is not production: emulated portals, the demo, benchmarks."""

    name = "sandbox"
