"""One call of one REST method: who calls, with what, on which portal."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.emulators.bitrix24.actor import Actor
from sandbox.emulators.bitrix24.params import Params, as_int, as_list, as_map
from sandbox.emulators.bitrix24.portal import EmulatedPortal


@dataclass(slots=True)
class Call:
    """The parameters of one call, found under any of the spellings that the vendor takes."""

    portal: EmulatedPortal
    actor: Actor
    params: Params
    _folded: dict[str, Any] = field(default_factory=dict)

    def get(self, name: str, default: Any = None) -> Any:
        """A top-level parameter whatever its case; `fields` may be spelt `arFields`."""
        if name in self.params:
            return self.params[name]
        if not self._folded:
            self._folded = {key.lower(): value for key, value in self.params.items()}
        value = self._folded.get(name.lower(), self._folded.get("ar" + name.lower()))
        return default if value is None else value

    def mapping(self, name: str) -> dict[str, Any]:
        """A parameter that should be a map."""
        return as_map(self.get(name))

    def listed(self, name: str) -> list[Any]:
        """A parameter that should be a list."""
        return as_list(self.get(name))

    def number(self, name: str) -> int:
        """A parameter that should be a whole number; 0 when it is not."""
        return as_int(self.get(name))

    @property
    def start(self) -> int:
        """Where the page begins; -1 asks for no counting."""
        return as_int(self.get("start"))


Method = Callable[[Call], Any]
"""Works on a call and gives what the portal answers."""
