import pytest
from fake_firewalld import FakeFirewalld

from keepalived_core.node.firewalld import Firewalld


@pytest.fixture
def fake():
    return FakeFirewalld()


@pytest.fixture
def connect(tmp_path):
    """A Firewalld that speaks to a fake; tools: the programs that are installed."""

    def build(run, backend="nftables", tools=("firewall-cmd", "firewall-offline-cmd")):
        config = tmp_path / "firewalld.conf"
        config.write_text(f"# FirewallBackend=commented\nFirewallBackend={backend}\n")
        which = {name: f"/usr/bin/{name}" for name in tools}.get
        return Firewalld(run, which=which, config=config)

    return build
