"""How long to pause before the next try: numbers in, numbers out."""

MAX_DOUBLINGS = 30
"""So that a count of failures that grows for weeks never overflows a float."""


def backoff(failures: int, *, longest: float, first: float = 1.0) -> float:
    """Seconds to pause after so many failures in a row: `first`, then doubled each time up to `longest`.

    After no failure at all, half of `first`: what worked for a while is tried again almost at once.
    """
    doublings = min(failures - 1, MAX_DOUBLINGS)
    return min(first * 2.0**doublings, longest)
