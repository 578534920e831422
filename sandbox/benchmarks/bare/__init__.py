"""The peer of our intake: a bare DRF view that validates a webhook and inserts one row."""
