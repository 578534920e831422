"""The doctor: looks at the whole installation and says of each part whether it is well, and what to do."""

from sync.doctor.examination import as_json, as_text, examine

__all__ = ["as_json", "as_text", "examine"]
