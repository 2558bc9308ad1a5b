"""How long an address was away from this host, as the kernel tells it."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Iterable

from . import netlink
from .addresses import Held, snapshot
from .state import Instance, Vip

Key = tuple[str, str]


class Absence:
    """Listens from its creation on; a context manager.

    ``instances``: whose addresses count.  Only an address that is here at the start can be away.
    """

    def __init__(self, instances: Iterable[Instance]) -> None:
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._socket = netlink.Netlink(subscribe=True)
        self._held = Held(snapshot())
        self._vips: dict[Key, tuple[Instance, Vip]] = {
            (one.name, vip.address): (one, vip) for one in instances for vip in one.vips
        }
        self._vips = {key: pair for key, pair in self._vips.items() if self._held.holds(*pair)}
        self._since: dict[Key, int] = {}
        self._sum: dict[Key, int] = dict.fromkeys(self._vips, 0)
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Absence:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._socket.close()

    def missing(self, instance: str) -> list[str]:
        """The addresses of *instance* that were here at the start and are not now."""
        with self._lock:
            return sorted(address for name, address in self._since if name == instance)

    def seconds(self) -> dict[str, float]:
        """{address: seconds it was away so far}, those that never left not among them."""
        now = time.monotonic_ns() // 1000
        found: dict[str, float] = {}
        with self._lock:
            for key, total in self._sum.items():
                if key in self._since:
                    total += now - self._since[key]
                if total:
                    found[key[1]] = max(found.get(key[1], 0.0), total / 1e6)
        return found

    def sentence(self) -> str:
        """What to tell a person; "" when no address left."""
        with self._lock:
            gone = {address for _name, address in self._since}
        parts = [
            f"{address} was away from this node for {seconds:.2f} s"
            + (" and is still away" if address in gone else "")
            for address, seconds in sorted(self.seconds().items())
        ]
        return ", ".join(parts)

    def _listen(self) -> None:
        while not self._stop.is_set():
            ready, _, _ = select.select([self._socket], [], [], 0.1)
            if not ready:
                continue
            try:
                changes = self._socket.changes()
            except netlink.Overrun:
                with self._lock:
                    self._held.replace(snapshot())
                    self._judge(time.monotonic_ns() // 1000)
                continue
            with self._lock:
                for change in changes:
                    if self._held.apply(change):
                        self._judge(change.monotonic_us)

    def _judge(self, now: int) -> None:
        for key, pair in self._vips.items():
            here = self._held.holds(*pair)
            if not here:
                self._since.setdefault(key, now)
            elif key in self._since:
                self._sum[key] += now - self._since.pop(key)
