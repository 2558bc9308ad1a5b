"""What goes into the machines' images. Changing anything here rebuilds the layers it concerns."""

from __future__ import annotations

#: Raise one of these when the way a layer is built changes without its inputs changing.
BASE_VERSION = 1
PACKAGES_VERSION = 1
SALT_VERSION = 1
TUNE_VERSION = 1

SUITES = ("bookworm", "trixie", "bullseye")

#: Suites whose Python (bullseye: 3.9) is older than Salt 3008 wants.
SUITES_WITHOUT_SALT = {"bullseye"}

#: debootstrap takes only a small set: polkit's configuration fails inside debootstrap.
BASE_PACKAGES = ("systemd", "systemd-sysv", "dbus", "iproute2", "python3-minimal", "procps")

#: Without netbase firewalld dies (INVALID_PROTOCOL: esp), without iptables direct rules fail.
NODE_PACKAGES = (
    "keepalived",
    "haproxy",
    "firewalld",
    "psmisc",
    "netbase",
    "iptables",
    "nftables",
    "iputils-ping",
    "tcpdump",
)

#: For building Salt's environment only; timelib has no wheel.
BUILD_PACKAGES = ("gcc", "python3-dev", "libc6-dev", "python3-venv")

SALT_REQUIREMENT = "salt>=3008,<3009"

#: Of lab/files: what goes into the salt layer, and into the tune layer (name -> place).
SALT_FILES = ("salt-master.service", "salt-minion.service")
TUNE_FILES = {
    "apt.conf": "etc/apt/apt.conf.d/80lab",
    "haproxy.cfg": "etc/haproxy/haproxy.cfg",
    "lab-network.service": "etc/systemd/system/lab-network.service",
    "public.xml": "etc/firewalld/zones/public.xml",
}

#: Units a disposable machine on a private network has no use for; each costs boot time.
MASKED_UNITS = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "console-getty.service",
    "container-getty@.service",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "getty.target",
    "getty@.service",
    "getty-static.service",
    "logrotate.timer",
    "man-db.timer",
    "polkit.service",
    "systemd-ask-password-console.path",
    "systemd-ask-password-wall.path",
    "systemd-firstboot.service",
    "systemd-hostnamed.socket",
    "systemd-logind.service",
    "systemd-networkd.service",
    "systemd-networkd.socket",
    "systemd-networkd-wait-online.service",
    "systemd-resolved.service",
    "systemd-timesyncd.service",
    "systemd-update-utmp.service",
    "systemd-update-utmp-runlevel.service",
)
