"""The whole product on one machine against stand-in portals: for the demo, the benchmarks and the tests."""

from sync.rehearsal.people import LeadProof, People
from sync.rehearsal.processes import Process, free_port, run_manage, wait_until
from sync.rehearsal.proof import Proof, prove
from sync.rehearsal.stage import Rehearsal, Stand

__all__ = [
    "LeadProof",
    "People",
    "Process",
    "Proof",
    "Rehearsal",
    "Stand",
    "free_port",
    "prove",
    "run_manage",
    "wait_until",
]
