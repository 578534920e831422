"""What a run has come to: counts by outcome, and what happened to single records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sync.models import DirectoryNote, DirectoryRun
from sync.models.directory import COUNTS

MAX_NOTES = 500
"""Notes that a run keeps of each outcome; the counts know them all."""

MAX_NOTE = 500


@dataclass
class Counts:
    """Counts and notes of one pass over the records. `seen`: their IDs, numbers where they are numbers."""

    counts: Counter[str] = field(default_factory=Counter)
    notes: list[tuple[str, str, str]] = field(default_factory=list)
    seen: set[int | str] = field(default_factory=set)

    @property
    def changes(self) -> int:
        """Rows that differ from the portal's records."""
        return sum(self.counts[word] for word in ("created", "updated", "adopted", "gone"))

    def see(self, key: str) -> bool:
        """Whether this ID is met for the first time."""
        compact = as_seen(key)
        is_new = compact not in self.seen
        self.seen.add(compact)
        return is_new

    def note(self, outcome: str, key: str, text: str) -> None:
        """One more of this outcome, and what happened to the record."""
        self.counts[outcome] += 1
        if self.counts[outcome] <= MAX_NOTES:
            self.notes.append((outcome, key[:60], text[:MAX_NOTE]))

    def store(self, run: DirectoryRun, notes: Iterable[str] = COUNTS) -> None:
        """Write counts and the notes of these outcomes to the run, replacing what an earlier try wrote."""
        for word in COUNTS:
            setattr(run, word, self.counts[word])
        run.save()
        run.notes.all().delete()
        rows = [
            DirectoryNote(run=run, outcome=outcome, btxid=key, text=text)
            for outcome, key, text in self.notes
            if outcome in notes
        ]
        DirectoryNote.objects.bulk_create(rows)


def as_seen(key: str) -> int | str:
    """An ID as it is kept for a whole run: a number takes a tenth of a text's memory."""
    return int(key) if key.isdecimal() and not key.startswith("0") else key
