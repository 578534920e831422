"""10 000 deals at a portal's limit: how few requests, how near to the limit, and never over it."""

from __future__ import annotations

from typing import Any

from sandbox.benchmarks.context import Context
from sandbox.benchmarks.figures import Figure, Findings
from sandbox.benchmarks.installations import DealsInstallation, deals_installation, fewest_requests
from sandbox.demo import prove

BUCKET = 250
ORIGINAL_DEALS_A_MINUTE = 10.0
USUAL_PACE = 20


def run(context: Context) -> Findings:
    """One run at `per_minute` requests a minute to each portal."""
    scale = context.scale
    leak = max(5.0, scale.per_minute / 60 * 1.25)
    emulator = ["--bucket-size", str(BUCKET), "--bucket-leak", str(leak)]
    limits: dict[str, Any] = {
        "requests_per_minute": scale.per_minute,
        "burst": 1,
        "bucket_size": BUCKET,
        "bucket_leak": leak,
    }
    with deals_installation(context, emulator=emulator, **limits) as installation:
        ids = installation.seed(scale.deals, is_silent=True)
        installation.forget_counts()
        context.say(f"{len(ids)} deals at {scale.per_minute} requests a minute")
        drained = installation.drain(ids)
        return _findings(installation, ids, drained["seconds"], scale.per_minute)


def _findings(installation: DealsInstallation, ids: list[str], seconds: float, per_minute: int) -> Findings:
    counts = installation.counts()
    fewest = fewest_requests(len(ids))
    used = sum(one["requests"] for one in counts.values())
    floor = max(fewest.values()) * 60 / per_minute
    peak = max(one["max_in_sliding_minute"] for one in counts.values())
    refused = sum(one["limit_errors"] for one in counts.values())
    at_usual_pace = seconds * per_minute / USUAL_PACE
    original = len(ids) / ORIGINAL_DEALS_A_MINUTE * 60
    proof = prove(installation, ids)
    return Findings(
        figures=[
            Figure("API economy: requests ÷ fewest possible", used / sum(fewest.values()), most=1.05),
            Figure("Drain at the limit: time ÷ fewest possible", seconds / floor, most=1.10),
            Figure("Obedience: most in a sliding minute ÷ allowed", peak / per_minute, most=1.0, digits=4),
            Figure("Obedience: answers QUERY_LIMIT_EXCEEDED", refused, most=0, digits=0),
            Figure(
                f"Against the original, at {USUAL_PACE} requests a minute",
                original / at_usual_pace,
                "×",
                least=40,
                digits=1,
            ),
        ],
        rows=[
            ("portal", "requests", "fewest possible", "most in a minute", "at once", "refused"),
            *(_row(name, counts[name], fewest[name]) for name in ("source", "target")),
        ],
        notes=[
            (
                f"{seconds:.1f} s at {per_minute} requests a minute; the fewest possible requests take "
                f"{floor:.1f} s. The same work at {USUAL_PACE} a minute is computed from it: "
                f"{at_usual_pace / 60:.1f} minutes, against {original / 60:.0f} of the original, which takes "
                f"{ORIGINAL_DEALS_A_MINUTE:.0f} deals a minute."
            ),
            f"{proof}.",
        ],
        counts={"requests": used, "fewest": sum(fewest.values()), "refused": refused, "proof": proof.holds},
    )


def _row(name: str, counted: dict[str, Any], fewest: int) -> tuple[Any, ...]:
    kinds = ("max_in_sliding_minute", "in_flight_max", "limit_errors")
    return (name, counted["requests"], fewest, *(counted[kind] for kind in kinds))
