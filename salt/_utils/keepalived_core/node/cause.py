"""Why an instance changed its state, in words: only what the evidence says."""

from __future__ import annotations

from .state_dump import Account, Told, Tracked

#: An event's reason when there is no evidence.
UNKNOWN = "unknown"
#: What keepalived does when an address of its own goes: it begins anew as BACKUP.
REMOVED = "its address was removed by hand or by another program"
#: keepalived takes a product of value and weight at or below this for a fault.
_FAULT = -254
#: A reason stays readable, however much is broken at once.
_MOST = 3


def of_fault(account: Account, name: str) -> str:
    """Return why instance or sync group *name* is in FAULT; :data:`UNKNOWN` without evidence."""
    if name in account.groups:
        return _joined(_group_faults(account, name, beside=None))
    told = account.instances.get(name)
    if told is None:
        return UNKNOWN
    faults = _faults(account, told, told.interface)
    if not faults and told.group:
        faults = _group_faults(account, told.group, beside=name)
    return _joined(faults)


def of_backup(account: Account, name: str) -> str:
    """Return why instance *name* gave up being MASTER without a fault."""
    told = account.instances.get(name)
    if told is None or told.state != "BACKUP":
        return UNKNOWN
    if told.master_priority:
        # not "Master router": at this moment it is still the one of the last time
        text = f"a peer with priority {told.master_priority} took over"
        lower = told.effective is not None and told.base is not None and told.effective < told.base
        if lower and told.master_priority > (told.effective or 0):
            causes = _joined(_weights(account, told))
            text += f", its own fell from {told.base} to {told.effective}"
            text += "" if causes == UNKNOWN else f" ({causes})"
        return text
    if told.group:
        members = account.groups[told.group].members if told.group in account.groups else []
        for other in members:
            its = account.instances.get(other)
            if other != name and its and its.master_priority:
                return f"{other} in sync group {told.group}: {of_backup(account, other)}"
    else:
        # keepalived leaves MASTER without a fault for a better peer, or for this
        return REMOVED
    return UNKNOWN


def of_priority(account: Account, name: str) -> str:
    """Return what lowers or raises the priority of instance *name* now."""
    told = account.instances.get(name)
    return UNKNOWN if told is None else _joined(_weights(account, told))


def _faults(account: Account, tracked: Tracked, interface: str | None) -> list[str]:
    links = {name: weight for name, weight in tracked.interfaces.items() if not weight}
    if interface:
        links.setdefault(interface, 0)
    found = [f"{name} {fault}" for name in links if (fault := account.interfaces.get(name))]
    found += [
        f"check {name} failed"
        for name, weight in tracked.scripts.items()
        if not weight and account.scripts.get(name)
    ]
    for name, weight in tracked.files.items():
        value = account.files.get(name, 0)
        if value and (not weight or value * weight <= _FAULT):
            found.append(f"track_file {name} is {value}")
    found += [
        f"track_process {name} has too few processes"
        for name, weight in tracked.processes.items()
        if not weight and account.processes.get(name) is False
    ]
    return found


def _group_faults(account: Account, name: str, beside: str | None) -> list[str]:
    group = account.groups.get(name)
    if group is None:
        return []
    found = [f"{fault} (sync group {name})" for fault in _faults(account, group, None)]
    for member in group.members:
        told = account.instances.get(member)
        if told is not None and member != beside:
            own = _faults(account, told, told.interface)
            found += [f"{fault} ({member} in sync group {name})" for fault in own]
    return list(dict.fromkeys(found))


def _weights(account: Account, told: Told) -> list[str]:
    found = [
        f"check {name} failed, weight {weight}"
        for name, weight in told.scripts.items()
        if weight and account.scripts.get(name)
    ]
    found += [
        f"track_file {name} is {value}, weight {weight}"
        for name, weight in told.files.items()
        if weight and (value := account.files.get(name))
    ]
    found += [
        f"{name} {fault}, weight {weight}"
        for name, weight in told.interfaces.items()
        if weight and (fault := account.interfaces.get(name))
    ]
    found += [
        f"track_process {name} has too few processes, weight {weight}"
        for name, weight in told.processes.items()
        if weight and account.processes.get(name) is False
    ]
    return found


def _joined(causes: list[str]) -> str:
    if not causes:
        return UNKNOWN
    more = len(causes) - _MOST
    return "; ".join(causes[:_MOST]) + (f"; and {more} more" if more > 0 else "")
