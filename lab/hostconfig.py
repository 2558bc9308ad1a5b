"""Settings of this machine that an image build needs too: mirror, apt, pip, proxies.

An image is built with the host's own ways to the archive and to the package index, whatever they
are: nothing of them is written down here, and none of it stays in an image.
"""

from __future__ import annotations

import configparser
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlparse

from lab.host import clean_environment

DEBIAN_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

#: Debian's own content network, for a host that is not Debian itself.
_DEBIAN = "http://deb.debian.org/debian"

_APT_SETTING = re.compile(r"^Acquire::(http|https|Check-|Retries|Force)[A-Za-z0-9:.-]* ", re.I)
_PROXY_VARIABLES = (
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
)
_CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def apt_sources() -> list[tuple[str, str, str]]:
    """(address, suite, component) of each package source that apt uses on this machine."""
    form = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(CREATED_BY)"
    out = _output(["apt-get", "indextargets", "--no-release-info", "--format", form])
    rows = (line.split() for line in out.splitlines())
    return [(r[0], r[1], r[2]) for r in rows if len(r) == 4 and r[3] == "Packages"]


def debian_mirror() -> str:
    """The mirror this machine takes Debian from, or Debian's own if it is not a Debian."""
    release = dict(
        line.split("=", 1)
        for line in Path("/etc/os-release").read_text().splitlines()
        if "=" in line
    )
    if release.get("ID", "").strip('"') == "debian":
        codename = release.get("VERSION_CODENAME", "").strip('"')
        for address, suite, component in apt_sources():
            if suite == codename and component == "main" and address.startswith("http"):
                return address.rstrip("/")
    return _DEBIAN


def package_hosts() -> set[str]:
    """The hosts that package installs may reach: those of apt's sources here, and the mirror."""
    addresses = [address for address, _, _ in apt_sources()] + [debian_mirror()]
    return {host for host in (urlparse(address).hostname for address in addresses) if host}


def apt_settings() -> str:
    """apt.conf lines of this machine about how to fetch (proxies, retries, date checks)."""
    out = _output(["apt-config", "dump"])
    return "".join(line + "\n" for line in out.splitlines() if _APT_SETTING.match(line))


def apt_proxy() -> str | None:
    """The HTTP proxy that apt uses on this machine, if any."""
    out = _output(["apt-config", "dump", "Acquire::http::Proxy"])
    found = re.search(r'^Acquire::http::Proxy "(http://[^"]+)";', out, re.M)
    return found.group(1) if found else os.environ.get("http_proxy")


def proxy_environment() -> dict[str, str]:
    """This machine's proxy variables."""
    return {name: os.environ[name] for name in _PROXY_VARIABLES if name in os.environ}


@dataclass
class PipSettings:
    """pip's configuration here, so that pip in a chroot finds the same index the same way."""

    environment: dict[str, str] = field(default_factory=dict)
    paths: list[Path] = field(default_factory=list)

    @classmethod
    def of_this_machine(cls) -> PipSettings:
        """Collect configuration files, PIP_* variables and every local path that they name."""
        environment = {key: value for key, value in os.environ.items() if key.startswith("PIP_")}
        for name in _CERTIFICATE_VARIABLES:
            if name in os.environ:
                environment[name] = os.environ[name]
        # pip looks for its user configuration under HOME: keep it the same inside.
        environment["HOME"] = str(Path.home())
        environment["PIP_ROOT_USER_ACTION"] = "ignore"
        values = list(environment.values())
        paths = []
        for config in _pip_files():
            paths.append(config)
            parser = configparser.RawConfigParser()
            parser.read(config)
            values += [value for section in parser.sections() for _, value in parser.items(section)]
        for word in " ".join(values).split():
            path = Path(urlparse(word).path if word.startswith("file://") else word)
            # A local index ("simple" by habit) links to the files that lie beside it.
            path = path.parent if path.name == "simple" else path
            if path.is_absolute() and path.exists() and path not in (Path("/"), Path.home()):
                paths.append(path)
        environment.update(proxy_environment())
        return cls(environment, list(dict.fromkeys(paths)))

    def bind_into(self, root: Path, run: Callable[[list[str]], None]) -> None:
        """Bind each of those paths read-only at its own place inside `root`."""
        (root / str(Path.home()).lstrip("/")).mkdir(parents=True, exist_ok=True)
        for path in self.paths:
            target = root / str(path).lstrip("/")
            if path.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.touch()
            run(["mount", "--bind", str(path), str(target)])
            run(["mount", "-o", "remount,bind,ro", str(target)])


def _pip_files() -> list[Path]:
    """Where pip looks for configuration (pip's documentation, "Location")."""
    config_dirs = os.environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")
    places = [Path(folder) / "pip/pip.conf" for folder in config_dirs if folder]
    config_home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    places += [Path("/etc/pip.conf"), Path.home() / ".pip/pip.conf", config_home / "pip/pip.conf"]
    if os.environ.get("PIP_CONFIG_FILE"):
        places.append(Path(os.environ["PIP_CONFIG_FILE"]))
    return [place for place in places if place.is_file()]


def _output(argv: list[str]) -> str:
    done = subprocess.run(
        argv, env=clean_environment(), capture_output=True, text=True, check=False
    )
    return done.stdout
