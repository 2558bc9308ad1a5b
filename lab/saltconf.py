"""Salt's settings on lab machines: those of a plain installation, plus what saves waiting."""

from __future__ import annotations

from lab.network import MASTER_NUMBER, MGMT_NET

MASTER_CONF = "etc/salt/master.d/lab.conf"
MINION_CONF = "etc/salt/minion.d/lab.conf"


def master() -> str:
    """Settings of the master. Keys are accepted unseen: nobody else is on this network."""
    return """# Written by the lab.
interface: 0.0.0.0
auto_accept: True
worker_threads: 3
file_roots: {base: [/srv/salt]}
pillar_roots: {base: [/srv/pillar]}
log_level_logfile: info
enable_fqdns_grains: False
"""


def minion(name: str) -> str:
    """Settings of a minion; `salt-call --local` finds the pushed tree with them, too."""
    return f"""# Written by the lab.
id: {name}
master: {MGMT_NET}.{MASTER_NUMBER}
file_roots: {{base: [/srv/salt]}}
pillar_roots: {{base: [/srv/pillar]}}
log_level_logfile: info
# Nobody answers name look-ups here.
enable_fqdns_grains: False
# A lab's master comes up at the same moment: ask again soon.
master_tries: -1
acceptance_wait_time: 1
auth_timeout: 5
random_reauth_delay: 1
recon_default: 100
recon_max: 1000
recon_randomize: False
"""
