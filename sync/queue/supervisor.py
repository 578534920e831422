"""Watches one django-q2 cluster: starts it again when it dies or goes deaf, and leaves no process behind.

What happens without it (django-q2 1.11, each seen with real processes): the main process ends with code 0
when its sentinel is killed, and the workers live on as orphans; killed itself, it leaves a complete cluster
that nobody stops; stopped together with its children, it hangs; see `liveness` for deafness.
Knows neither the database nor the queue, so an outage of them is none of its business.
"""

import ctypes
import logging
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from sync.policies.backoff import backoff
from sync.queue import liveness

log = logging.getLogger(__name__)

WORKER = "INTERCONNECTOR_WORKER"
"""Environment variable: the cluster's name, host:pid of its supervisor."""

GRACE = 75.0
"""Seconds a stopping cluster gets: a request is cut at 65 s, and its outcome is worth waiting for."""

LOOK_EVERY = 0.5
SETTLED = 60.0
"""Seconds after which a cluster that dies is not one that cannot start."""

MAX_PAUSE = 15.0
PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass(frozen=True)
class Patience:
    """Seconds: for which an idle cluster may leave a question unanswered; that one task may take."""

    silence: float
    task: float


@dataclass
class Stop:
    """How often somebody asked us to stop; the second time means at once."""

    asked: int = 0

    def listen(self) -> None:
        """Take SIGTERM, SIGINT and SIGHUP for such a wish from now on."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._ask)

    def wait(self, seconds: float) -> None:
        """Sleep, but not past the wish to stop."""
        ends = time.monotonic() + seconds
        while not self.asked and (left := ends - time.monotonic()) > 0:
            time.sleep(min(left, LOOK_EVERY))

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked += 1


@dataclass
class Cluster:
    """One running cluster: its main process leads a process group of its own. `signs` is the end of the pipe
    from which its signs of life are read.
    """

    process: subprocess.Popen[bytes]
    signs: int
    started_at: float = field(default_factory=time.monotonic)
    seen_at: float = field(default_factory=time.monotonic)
    asked_at: float | None = None
    """When the oldest question was put that no worker has answered."""

    busy_at: float = 0.0
    """When a worker was last seen at work while a question waited."""

    @classmethod
    def start(cls, command: Sequence[str]) -> "Cluster":
        """Start `command` (plus `--watched-by` our PID); Ctrl-C in a terminal does not reach its group."""
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        name = f"{socket.gethostname()}:{os.getpid()}"
        process = subprocess.Popen(  # noqa: S603  # our own command line
            [*command, "--watched-by", str(os.getpid())],
            env={**os.environ, WORKER: name, liveness.PIPE: str(writing)},
            stdin=subprocess.DEVNULL,
            pass_fds=[writing],
            start_new_session=True,
        )
        os.close(writing)
        return cls(process, reading)

    def listen(self, seconds: float) -> None:
        """Wait for a sign of life, at most so long."""
        ready, _, _ = select.select([self.signs], [], [], seconds)
        if not ready:
            return
        if signs := os.read(self.signs, 4096):
            self._note(signs)
        else:  # every process of the cluster has gone; do not spin until the main one is reported
            time.sleep(seconds)

    def _note(self, signs: bytes) -> None:
        """A worker's answer answers all questions before it."""
        now = time.monotonic()
        _, answered, after = signs.rpartition(liveness.ANSWER)
        if answered:
            self.seen_at, self.asked_at = now, None
        if after and self.asked_at is None:
            self.asked_at = now

    def fault(self, patience: Patience) -> str:
        """What is wrong with it, as the end of a sentence; nothing when all is well.

        A cluster that waits for its database puts no question to itself, and is not deaf. One whose worker
        was busy is given time anew: it takes up the question in a moment.
        """
        if (code := self.process.poll()) is not None:
            return f"ended by itself (exit code {code})"
        now = time.monotonic()
        silence = now - self.seen_at
        if silence > patience.silence + patience.task:
            return f"has run no task for {silence:.0f} s"
        if self.asked_at is None:
            return ""
        if self.is_at_work():
            self.busy_at = now
        if now - max(self.asked_at, self.busy_at) > patience.silence:
            return f"is deaf: it has run no task for {silence:.0f} s and no worker is busy"
        return ""

    def is_at_work(self) -> bool:
        """Whether some process of the group says in its title that it runs a task; True where none can be
        read (not Linux).
        """
        proc = Path("/proc")
        if not proc.is_dir():
            return True
        return any(b" processing " in _title(entry, self.process.pid) for entry in proc.glob("[0-9]*"))

    def stop(self, stop: Stop, *, grace: float) -> None:
        """Let it end its requests. The signal goes to the main process alone: with its children killed it
        would hang.
        """
        self.process.terminate()
        ends = time.monotonic() + grace
        while self.process.poll() is None and time.monotonic() < ends and stop.asked < 2:
            self.listen(LOOK_EVERY)
        if self.process.poll() is None:
            log.warning("The cluster did not end in time and is killed; its jobs go on after their lease.")
        self.kill()

    def kill(self) -> None:
        """SIGKILL for whatever of its group still lives."""
        with suppress(ProcessLookupError, PermissionError):  # nobody left; macOS says EPERM for zombies
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.signs)
        with suppress(ChildProcessError):  # as process 1 of a container we inherit its dead
            while os.waitpid(-self.process.pid, os.WNOHANG)[0]:
                pass


def _title(entry: Path, group: int) -> bytes:
    """The command line of a process of the group; nothing when it is of another or has gone."""
    with suppress(OSError):
        if os.getpgid(int(entry.name)) == group:
            return (entry / "cmdline").read_bytes()
    return b""


def watch(command: Sequence[str], patience: Patience, *, grace: float = GRACE) -> None:
    """Keep one cluster running until we are asked to stop."""
    stop = Stop()
    stop.listen()
    failures = 0
    while not stop.asked:
        cluster = Cluster.start(command)
        log.info("The cluster runs, process %s.", cluster.process.pid)
        fault = _attend(cluster, patience, stop)
        if not fault:
            log.info("Stopping: the cluster ends the requests under way.")
            cluster.stop(stop, grace=grace)
            return
        failures = 0 if time.monotonic() - cluster.started_at > SETTLED else failures + 1
        cluster.kill()
        pause = backoff(failures, longest=MAX_PAUSE)
        log.error("The cluster %s; it is started again in %.0f s.", fault, pause)
        stop.wait(pause)


def _attend(cluster: Cluster, patience: Patience, stop: Stop) -> str:
    """Watch the cluster until something is wrong, or we are asked to stop; what is wrong, "" for nothing."""
    while not stop.asked:
        cluster.listen(LOOK_EVERY)
        if fault := cluster.fault(patience):
            return fault
    return ""


def die_with(parent: int) -> None:
    """Have the kernel kill this process when `parent` dies, and all it forks when it dies itself (Linux).

    So nothing of a cluster outlives its supervisor, and no worker its sentinel. prctl(2), PR_SET_PDEATHSIG;
    a fork does not inherit the wish, hence the hook.
    """
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is None:
        return

    def bind(expected: int) -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != expected:  # it died before the kernel knew our wish
            os.kill(os.getpid(), signal.SIGKILL)

    forking = [os.getpid()]

    def remember() -> None:
        forking[0] = os.getpid()

    bind(parent)
    os.register_at_fork(before=remember, after_in_child=lambda: bind(forking[0]))
