"""The summary of a directory's run, as staff read it."""

from __future__ import annotations

import pytest
from django.utils import translation

from sync.models import DirectoryRun


@pytest.mark.parametrize(
    ("language", "expected"), [("en", "created: 5, gone: 1"), ("ru", "создано: 5, исчезло: 1")]
)
def test_what_did_not_happen_is_left_out(language: str, expected: str) -> None:
    with translation.override(language):
        assert DirectoryRun(created=5, gone=1).summary == expected
