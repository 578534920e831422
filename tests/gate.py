"""A TCP proxy that a test can shut: for a service that goes away and comes back."""

from __future__ import annotations

import contextlib
import socket
import threading


class Gate:
    """Passes connections on to `target` while it is open; `port` stays the same.

    `hold` keeps back what the client sends from now on, until the gate is opened again: the server gets
    nothing, and neither side notices.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.port = 0
        self._listener: socket.socket | None = None
        self._passing: list[socket.socket] = []
        self._flowing = threading.Event()
        self.open()

    def open(self) -> None:
        """Accept connections (again)."""
        self._flowing.set()
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(100)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def hold(self) -> None:
        """Pass nothing more on to the target."""
        self._flowing.clear()

    def shut(self) -> None:
        """Refuse new connections and break the open ones."""
        listener, self._listener = self._listener, None
        for one in [listener, *self._passing]:
            if one is not None:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
        self._passing.clear()

    def _accept(self, listener: socket.socket) -> None:
        """Connect each client with the target until the listener is closed."""
        while True:
            try:
                here, _ = listener.accept()
            except OSError:
                return
            there = socket.create_connection(self.target)
            self._passing += [here, there]
            for ends in ((here, there, self._flowing), (there, here, None)):
                threading.Thread(target=_pass_on, args=ends, daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket, flowing: threading.Event | None) -> None:
    """Pass on what comes, while `flowing` is set, until either side closes."""
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            if flowing is not None:
                flowing.wait()
            sink.sendall(piece)
    for one in (source, sink):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
