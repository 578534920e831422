"""For schemathesis: what a phone and a cursor look like; it loads this module as its hooks."""

from __future__ import annotations

from base64 import b64encode

import schemathesis
from hypothesis import strategies as st

PHONES = st.from_regex(r"(\+7|8) ?9[0-9]{2}[ -]?[0-9]{7}|\+37529[1-9][0-9]{6}", fullmatch=True)
CURSORS = st.integers(min_value=1, max_value=10**20).map(lambda one: b64encode(f"p={one}".encode()).decode())

schemathesis.openapi.format("phone", PHONES)
schemathesis.openapi.format("cursor", CURSORS)
