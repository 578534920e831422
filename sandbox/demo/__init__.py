"""The whole product on one machine against emulated portals: for the demo, the benchmarks and the tests."""

from sandbox.demo.installation import Installation, PortalControl, PortalProcess
from sandbox.demo.processes import Process, free_port, run_manage, stop_all, wait_until
from sandbox.demo.proof import Proof, prove
from sandbox.demo.users import DemoUsers, LeadProof

__all__ = [
    "DemoUsers",
    "Installation",
    "LeadProof",
    "PortalControl",
    "PortalProcess",
    "Process",
    "Proof",
    "free_port",
    "prove",
    "run_manage",
    "stop_all",
    "wait_until",
]
