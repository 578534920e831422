"""The whole product on one machine against stand-in portals: for the demo, the benchmarks and the tests."""

from sync.rehearsal.processes import Process, free_port
from sync.rehearsal.stage import Rehearsal, Stand

__all__ = ["Process", "Rehearsal", "Stand", "free_port"]
