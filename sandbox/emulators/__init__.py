"""Emulated outside systems over real HTTP, for rehearsal, demo and tests."""
