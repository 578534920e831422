"""Emulated outside systems over real HTTP, for demo, benchmarks and tests."""
