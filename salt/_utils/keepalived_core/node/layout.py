"""What keepalived.conf says and the JSON dump does not: sync groups, and instances at a stop."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .. import conf
from ..conf import instances as configured
from .paths import Paths
from .state import Instance, parse_vip

log = logging.getLogger(__name__)
_FIFO_KEYWORDS = ("vrrp_notify_fifo", "notify_fifo")


@dataclass(frozen=True)
class Layout:
    """``known`` is False when the file could not be read: then the rest says nothing.

    ``fifo`` is whether keepalived is told to write to the watch's FIFO.
    """

    known: bool = False
    instances: Mapping[str, Instance] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fifo: bool = False

    @property
    def empty(self) -> bool:
        """Whether it is certain that there is no vrrp_instance."""
        return self.known and not self.instances

    def group_of(self, instance: str) -> str | None:
        """Return the sync group that ``instance`` belongs to."""
        return next((name for name, members in self.groups.items() if instance in members), None)


def read(paths: Paths) -> Layout:
    """Read keepalived.conf as this host's daemon does, as far as it can be; never raises.

    A daemon started with ``-i`` decides its ``@id`` lines by another name than the host's, so
    something may be missing; the dump, where there is one, knows better.
    """
    try:
        text = paths.config.read_text(encoding="utf-8", errors="replace")
        return from_text(text, paths.fifo, str(paths.config))
    except OSError as err:
        log.info("%s: %s", paths.config, err.strerror)
    except conf.ConfError as err:
        log.warning("sync groups are unknown: %s", err)
    return Layout()


def from_text(text: str, fifo: Path, path: str | None = None) -> Layout:
    """Read the text of a keepalived.conf.  Raises :class:`conf.ConfError`.

    path: where it is from, which is where its includes are looked for.
    """
    tree = conf.effective(text, path)
    told = [
        block.value(keyword) for block in tree.blocks("global_defs") for keyword in _FIFO_KEYWORDS
    ]
    return Layout(
        known=True,
        instances={one.name: _instance(one) for one in configured.instances(tree)},
        groups={name: tuple(names) for name, names in configured.sync_groups(tree).items()},
        fifo=str(fifo) in told,
    )


def _instance(one: configured.Instance) -> Instance:
    vips = [parse_vip(_line(vip)) for vip in one.vips]
    vips += [parse_vip(_line(vip), excluded=True) for vip in one.excluded]
    known = tuple(vip for vip in vips if vip)
    return Instance(
        name=one.name,
        vrid=one.vrid,
        family=next((vip.family for vip in known if not vip.excluded), None),
        interface=one.interface or None,
        base_priority=one.priority,
        vips=known,
    )


def _line(vip: tuple[str, str]) -> str:
    address, device = vip
    return f"{address} dev {device}" if device else address
