"""Where things are on a node: the single source of every fixed path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: The directory the running library came from; what ``install.install_library`` copies.
PACKAGE_DIR = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Paths:
    """The fixed paths of a node.

    ``Paths()`` is the real machine; tests build one below a directory of their own with
    :meth:`under`, or replace single fields.
    """

    config: Path = Path("/etc/keepalived/keepalived.conf")
    state_dir: Path = Path("/var/lib/salt-keepalived")
    run_dir: Path = Path("/run/salt-keepalived")
    lib_dir: Path = Path("/usr/local/lib/salt-keepalived")
    #: Where keepalived writes its pid files; /var/run is a link to /run on every supported
    #: distribution, but builds from source default to ``$prefix/var/run``.
    pid_dirs: tuple[Path, ...] = (Path("/run"), Path("/run/keepalived"), Path("/var/run"))

    @classmethod
    def under(cls, root: str | Path) -> Paths:
        """Return the same layout below ``root``."""
        base = Path(root)

        def move(path: Path) -> Path:
            return base / path.relative_to("/")

        return cls(
            config=move(cls.config),
            state_dir=move(cls.state_dir),
            run_dir=move(cls.run_dir),
            lib_dir=move(cls.lib_dir),
            pid_dirs=tuple(move(path) for path in cls.pid_dirs),
        )

    @property
    def spool(self) -> Path:
        return self.state_dir / "spool.db"

    @property
    def settings(self) -> Path:
        """What the formula tells the watch: cluster and minion id."""
        return self.state_dir / "watch.conf.json"

    @property
    def event_key(self) -> Path:
        """With what this node signs its events."""
        return self.state_dir / "event.key"

    @property
    def fifo(self) -> Path:
        return self.run_dir / "notify.fifo"

    @property
    def relay_socket(self) -> Path:
        """Where the relay hears that there is something new in the spool."""
        return self.run_dir / "relay.sock"

    @property
    def watch_status(self) -> Path:
        return self.run_dir / "watch.json"

    @property
    def poll_status(self) -> Path:
        """The same of who stands in where there is no watch."""
        return self.run_dir / "poll.json"

    @property
    def watch_lock(self) -> Path:
        return self.run_dir / "watch.lock"

    @property
    def planned(self) -> Path:
        return self.run_dir / "planned.json"

    @property
    def journal(self) -> Path:
        """The change that is under way, or the last one (node/pending.py)."""
        return self.state_dir / "change.json"

    @property
    def backups(self) -> Path:
        return self.state_dir / "backup"

    @property
    def apply_lock(self) -> Path:
        return self.run_dir / "apply.lock"

    @property
    def reload_time(self) -> Path:
        """Where keepalived is told the second of its next reload (``reload_time_file``)."""
        return self.run_dir / "reload.time"

    @property
    def drain(self) -> Path:
        """The file that keepalived tracks; its number drains the node."""
        return self.state_dir / "drain"

    @property
    def drain_record(self) -> Path:
        """Why, since and until when the node is drained."""
        return self.state_dir / "drain.json"

    @property
    def drain_lock(self) -> Path:
        return self.run_dir / "drain.lock"

    @property
    def dump_lock(self) -> Path:
        return self.run_dir / "dump.lock"


DEFAULT = Paths()

CONFIG = DEFAULT.config
STATE_DIR = DEFAULT.state_dir
RUN_DIR = DEFAULT.run_dir
LIB_DIR = DEFAULT.lib_dir
SPOOL = DEFAULT.spool
FIFO = DEFAULT.fifo
WATCH_STATUS = DEFAULT.watch_status
PLANNED = DEFAULT.planned
DUMP_LOCK = DEFAULT.dump_lock
