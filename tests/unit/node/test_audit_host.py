"""What /proc, /run and /etc say around a virtual address, read from a directory that has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from keepalived_core.node import audit_host

VIPS = ["192.168.1.220", "fd00::220"]


@pytest.fixture
def root(tmp_path: Path):
    """root(path=text, …): these files below a directory, and the directory."""

    def make(files: dict[str, str]) -> Path:
        for name, text in {"sys/class/net/eth1/ifindex": "3\n", **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return make


def test_the_larger_of_two_settings_is_in_force(root):
    conf = "proc/sys/net/ipv4/conf"
    made = root(
        {
            f"{conf}/all/rp_filter": "1\n",
            f"{conf}/eth1/rp_filter": "0\n",
            f"{conf}/all/arp_ignore": "0\n",
            f"{conf}/eth1/arp_ignore": "2\n",
            "proc/sys/net/ipv4/ip_nonlocal_bind": "1\n",
        }
    )
    assert audit_host.sysctls(["eth1", "eth9"], made) == {
        "ip_nonlocal_bind": {"ipv4": 1, "ipv6": None},
        "interfaces": {
            "all": {"rp_filter": 1, "arp_ignore": 0, "arp_announce": None},
            "eth1": {"rp_filter": 1, "arp_ignore": 2, "arp_announce": None},
            "eth9": {"rp_filter": None, "arp_ignore": None, "arp_announce": None},
        },
    }


BINDS = {
    "any address": ("bind *:80\n bind :::443 v4v6\n", []),
    "another address": ("bind 192.168.1.22:80\n", []),
    "the address": ("  bind 192.168.1.220:80\n", ["192.168.1.220"]),
    "one of several": ("bind 127.0.0.1:80,192.168.1.220:80 ssl\n", ["192.168.1.220"]),
    "of IPv6": ("bind [fd00::220]:80\n bind ipv6@fd00::220:81\n", ["fd00::220"]),
    "in a comment": ("# bind 192.168.1.220:80\n", []),
    "transparent": ("bind 192.168.1.220:80 transparent\n", []),
}


@pytest.mark.parametrize(("text", "found"), BINDS.values(), ids=BINDS)
def test_which_virtual_addresses_haproxy_binds(root, text, found):
    assert audit_host.binds(VIPS, root({"etc/haproxy/haproxy.cfg": text})) == found


def test_without_haproxy_nothing_is_bound(root):
    assert audit_host.binds(VIPS, root({})) == []


LINK, FILE = "run/systemd/netif/links/3", "/etc/systemd/network/a.network"
DROPIN = "/etc/systemd/network/a.network.d/b.conf"
NETWORKD = {"manager": "systemd-networkd", "file": FILE}
NM = "run/NetworkManager/devices/3"
MANAGED = {
    "nobody": ({}, {}),
    "networkd": (
        {LINK: f"ADMIN_STATE=configured\nNETWORK_FILE={FILE}\n", FILE: "[Network]\n"},
        {"eth1": {**NETWORKD, "keeps": False}},
    ),
    "networkd, which keeps them": (
        {
            LINK: f"ADMIN_STATE=configured\nNETWORK_FILE={FILE}\n",
            FILE: "[Network]\nKeepConfiguration = static\n",
        },
        {"eth1": {**NETWORKD, "keeps": True}},
    ),
    "networkd, which keeps them by a file beside it": (
        {
            LINK: f'ADMIN_STATE=configured\nNETWORK_FILE={FILE}\nNETWORK_FILE_DROPINS="{DROPIN}"\n',
            FILE: "[Network]\nKeepConfiguration=no\n",
            DROPIN: "[Network]\nKeepConfiguration=yes\n",
        },
        {"eth1": {**NETWORKD, "keeps": True}},
    ),
    "only what DHCP gave is kept": (
        {
            LINK: f"ADMIN_STATE=configured\nNETWORK_FILE={FILE}\n",
            FILE: "[Network]\nKeepConfiguration=dhcp\n",
        },
        {"eth1": {**NETWORKD, "keeps": False}},
    ),
    "networkd runs and leaves it alone": ({LINK: "ADMIN_STATE=unmanaged\n"}, {}),
    "NetworkManager": (
        {NM: "[device]\nmanaged=true\nconnection-uuid=1\n"},
        {"eth1": {"manager": "NetworkManager", "keeps": False, "file": None}},
    ),
    "NetworkManager leaves it alone": ({NM: "[device]\nmanaged=false\n"}, {}),
    "NetworkManager has no connection for it": ({NM: "[device]\nmanaged=true\n"}, {}),
}


@pytest.mark.parametrize(("files", "found"), MANAGED.values(), ids=MANAGED)
def test_who_has_the_interface_and_whether_it_keeps_addresses(root, files, found):
    made = root({name.lstrip("/"): text for name, text in files.items()})
    assert audit_host.managers(["eth1", "eth9"], made) == found


def test_the_nodes_own_addresses_are_told_without_the_virtual_ones(monkeypatch):
    held = {
        "lo": [("127.0.0.1", 8), ("::1", 128)],
        "eth1": [("192.168.1.11", 24), ("192.168.1.220", 32), ("fe80::1", 64), ("fd00::11", 64)],
        "eth2": [],
    }
    monkeypatch.setattr(audit_host.addresses, "snapshot", lambda: held)

    assert audit_host.links(VIPS) == {"eth1": ["192.168.1.11/24", "fd00::11/64"]}
