"""The whole product on one machine against stand-in portals: for the demo, the benchmarks and the tests."""

from sandbox.demo.people import LeadProof, People
from sandbox.demo.processes import Process, free_port, run_manage, wait_until
from sandbox.demo.proof import Proof, prove
from sandbox.demo.stage import Rehearsal, Stand

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
