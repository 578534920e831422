"""An emulated Bitrix24 portal over real HTTP, kept in memory.

It follows https://apidocs.bitrix24.com/ down to the oddities that break integrations.
"""

from sandbox.emulators.bitrix24.emulator import Emulator, start
from sandbox.emulators.bitrix24.portal import EmulatedPortal
from sandbox.emulators.bitrix24.settings import Settings

__all__ = ["EmulatedPortal", "Emulator", "Settings", "start"]
