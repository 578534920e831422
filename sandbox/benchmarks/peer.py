"""Ours against a script on fast_bitrix24 that keeps everything in memory: same deals, same portals."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.benchmarks.context import Context, Scale
from sandbox.benchmarks.figures import Figure, Findings, median
from sandbox.benchmarks.installations import DealsInstallation, deals_installation
from sandbox.demo import prove

SCRIPT = Path(__file__).with_name("peer_script.py")


@dataclass(frozen=True)
class Setting:
    """A portal's latency in seconds, and its slots."""

    latency: float
    slots: int


@dataclass
class Comparison:
    """Deals a second, ours and theirs, round by round."""

    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    unproven: int = 0

    @property
    def ratio(self) -> float:
        """Ours ÷ theirs, of the medians."""
        return median(self.ours) / median(self.theirs)


def settings_of(scale: Scale) -> list[Setting]:
    """No latency, and a slow portal's with few slots and with many."""
    return [Setting(0.0, slots=2), Setting(scale.latency, slots=2), Setting(scale.latency, slots=10)]


def run(context: Context) -> Findings:
    """Without a pace, at no latency and at a slow portal's, in turn."""
    findings = Findings(rows=[("latency", "slots", "ours, deals/s", "fast_bitrix24, deals/s", "ratio")])
    unproven = 0
    for setting in settings_of(context.scale):
        comparison = _compare(context, setting)
        unproven += comparison.unproven
        name = f"Against a peer at {setting.latency * 1000:.0f} ms, {setting.slots} slots a portal"
        findings.figures.append(Figure(f"{name}: ours ÷ theirs", comparison.ratio, least=1.0))
        cells = (f"{setting.latency * 1000:.0f} ms", setting.slots)
        rates = (
            f"{median(comparison.ours):.0f}",
            f"{median(comparison.theirs):.0f}",
            f"{comparison.ratio:.2f}",
        )
        findings.rows.append((*cells, *rates))
    findings.notes = [
        (
            "The peer keeps all in memory, stores nothing: no queue, no history, no links, no retries, and "
            "up to 50 requests at once. It reads 50 deals a command, as we do."
        ),
    ]
    findings.counts = {"unproven": unproven}
    return findings


def _compare(context: Context, setting: Setting) -> Comparison:
    emulator = ["--no-bucket", "--latency", str(setting.latency)]
    comparison = Comparison()
    with deals_installation(context, emulator=emulator, slots=setting.slots) as installation:
        for number in range(1, context.scale.rounds + 1):
            ours, theirs = (installation.seed(context.scale.deals, is_silent=True) for _ in range(2))
            comparison.theirs.append(len(theirs) / _script(installation, theirs))
            comparison.ours.append(len(ours) / installation.drain(ours)["seconds"])
            comparison.unproven += 0 if prove(installation, ours).holds else 1
            context.say(
                f"{setting.latency * 1000:.0f} ms, {setting.slots} slots, round {number}: "
                f"ours {comparison.ours[-1]:.0f}, theirs {comparison.theirs[-1]:.0f} deals/s"
            )
    return comparison


def _script(installation: DealsInstallation, ids: list[str]) -> float:
    """Seconds the peer takes."""
    words = [
        str(SCRIPT),
        installation.source.webhook_url,
        installation.target.webhook_url,
        ids[0],
        str(len(ids)),
    ]
    done = subprocess.run(  # noqa: S603  # our own program
        [sys.executable, *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{done.stderr}\nfast_bitrix24 comes with requirements-dev.txt.")
    return float(done.stdout)
