"""The only way work runs: permit → claim → request → settle."""

from sync.engine.leases import return_expired
from sync.engine.worker import drain

__all__ = ["drain", "return_expired"]
