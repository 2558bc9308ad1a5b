"""Configurations for tests of changes: one keyword, one word of a dictionary."""

from __future__ import annotations

from typing import Any

VIP = "10.99.0.100/24"


def instance(name: str = "VI", **words: Any) -> str:
    """A vrrp_instance; True: a flag, a list: the lines of a block, None: leaves a word out."""
    said = {
        "interface": "eth0",
        "virtual_router_id": 51,
        "priority": 100,
        "virtual_ipaddress": [VIP],
        **words,
    }
    return block(f"vrrp_instance {name}", said)


def block(head: str, words: dict[str, Any] | list[str]) -> str:
    """A block of words, or of lines."""
    lines = [f"{head} {{"]
    if isinstance(words, list):
        lines += [f"    {line}" for line in words]
    else:
        for word, value in words.items():
            if isinstance(value, (list, dict)):
                inner = block(word, value).splitlines()
                lines += [f"    {line}" for line in inner]
            elif value is not None:
                lines.append(f"    {word}" if value is True else f"    {word} {value}")
    return "\n".join([*lines, "}"]) + "\n"


def settings(**words: Any) -> str:
    """A global_defs."""
    return block("global_defs", {"router_id": "test", **words})


def group(name: str, *members: str, **words: Any) -> str:
    """A vrrp_sync_group."""
    return block(f"vrrp_sync_group {name}", {"group": list(members), **words})
