"""What one portal keeps: its settings, tables, limits and counters, under one lock."""

import hashlib
import random
import threading
from collections import defaultdict
from datetime import datetime

from sandbox.emulators.bitrix24.applications import Applications
from sandbox.emulators.bitrix24.directory import Directory
from sandbox.emulators.bitrix24.entities import DEAL, Entity, standard_entities
from sandbox.emulators.bitrix24.faults import Faults
from sandbox.emulators.bitrix24.filestore import FileStore
from sandbox.emulators.bitrix24.limits import LeakyBuckets, OperatingBudget
from sandbox.emulators.bitrix24.settings import Settings
from sandbox.emulators.bitrix24.stats import Stats
from sandbox.emulators.bitrix24.table import Row, Table


class PortalState:
    """The data of one portal; whoever reads or writes its tables holds `lock`."""

    def __init__(self, settings: Settings) -> None:
        """Keep nothing yet; `base` is filled in by the server."""
        self.settings = settings
        self.lock = threading.RLock()
        self.base = "http://127.0.0.1"
        self.random = random.Random(settings.seed)
        self.faults = Faults(self.random)
        self.stats = Stats()
        self.buckets = LeakyBuckets(settings)
        self.operating = OperatingBudget(settings)
        self.applications = Applications(settings)
        self.clear()

    def clear(self) -> None:
        """Forget all data."""
        self.entities: dict[int, Entity] = standard_entities()
        self.directory = Directory()
        self.files = FileStore()
        self.comments = Table()
        self.comments_by_owner: dict[tuple[str, int], list[int]] = defaultdict(list)
        self.product_rows = Table()
        self.stage_history = Table()
        self.multifield_ids = Table()

    @property
    def deals(self) -> Table:
        """All deals."""
        return self.entities[DEAL].table

    @property
    def domain(self) -> str:
        """Host and port, as events and tokens name the portal."""
        return self.base.partition("://")[2]

    @property
    def member_id(self) -> str:
        """The lasting name of the portal: 32 hexadecimal digits, the same after a rename."""
        return hashlib.md5(self.settings.code.encode(), usedforsecurity=False).hexdigest()

    def now(self) -> datetime:
        """The present moment in the portal's own zone, to the second as the portal stores it."""
        moment = datetime.fromtimestamp(self.settings.clock(), self.settings.utc_offset)
        return moment.replace(microsecond=0)

    def entity(self, type_id: int) -> Entity | None:
        """The kind of record with this number, or None."""
        return self.entities.get(type_id)

    def comment_rows(self, owner_type: str, owner_id: int) -> list[Row]:
        """Comments of one record, oldest first; the caller holds the lock."""
        return [
            self.comments.rows[row_id] for row_id in self.comments_by_owner.get((owner_type, owner_id), [])
        ]
