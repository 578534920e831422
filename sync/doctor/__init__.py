"""The doctor: examines every part of the installation, and says what is wrong and what to do."""

from sync.doctor.examination import examine, finding_as_text, findings_as_json

__all__ = ["examine", "finding_as_text", "findings_as_json"]
