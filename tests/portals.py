"""An emulated portal in the test's own process: no process has to start for it."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.demo import PortalControl
from sandbox.emulators import bitrix24
from sandbox.management.commands import emulate


class LocalPortal(PortalControl):
    """It listens as soon as it is made."""

    def __init__(self, emulator: bitrix24.Emulator) -> None:
        self.emulator = emulator
        self.port = emulator.port

    @classmethod
    def with_bucket(cls, bucket: tuple[float, float] | None) -> LocalPortal:
        """`bucket`: size and requests a second, None without a limit."""
        return cls(bitrix24.start(bucket=bucket))

    @classmethod
    def with_options(cls, options: Sequence[str]) -> LocalPortal:
        """The options of `manage.py emulate bitrix24`."""
        parser = emulate.Command().create_parser("manage.py", "emulate")
        return cls(emulate.start_bitrix24(vars(parser.parse_args(["bitrix24", *options]))))

    def stop(self) -> None:
        """Listen no longer."""
        self.emulator.stop()
