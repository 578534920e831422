"""What our intake is compared with: a bare DRF view that validates a webhook and inserts one row."""
