"""keepalived's package of the lab, packed again under a higher version, as an apt source."""

from __future__ import annotations

import hashlib
from types import TracebackType

from lab.lab import Lab

FOLDER = "/srv/apt-under-test"
_PACK = r"""
set -e
rm -rf "$1"; mkdir -p "$1/root/DEBIAN"; cd "$1"
dpkg -L keepalived | while read -r path; do
  if [ -e "$path" ] && [ ! -d "$path" ]; then
    mkdir -p "root$(dirname "$path")"; cp -a "$path" "root$path"
  fi
done
for script in preinst postinst prerm postrm conffiles triggers; do
  file="/var/lib/dpkg/info/keepalived.$script"
  [ ! -e "$file" ] || cp -a "$file" "root/DEBIAN/$script"
done
dpkg-query -s keepalived | sed -e '/^Status:/d' -e '/^Conffiles:/,/^[^ ]/{/^Conffiles:/d;/^ /d}' \
  -e "s/^Version:.*/Version: $2/" > root/DEBIAN/control
dpkg-deb --build -Znone root keepalived.deb > /dev/null
rm -rf root
"""


class PackageSource:
    """A context manager: each controller has this source, and no other, meanwhile.

    ``version``: what it offers.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        first = lab.controllers[0]
        have = first.run(["dpkg-query", "-W", "-f", "${Version}", "keepalived"]).stdout.strip()
        self.version = f"{have}+lab1"
        first.run(["sh", "-c", _PACK, "pack", FOLDER, self.version])
        self._package = (first.root / FOLDER.lstrip("/") / "keepalived.deb").read_bytes()
        control = first.run(["dpkg-deb", "--field", f"{FOLDER}/keepalived.deb"]).stdout
        self._index = (
            f"{control.strip()}\nFilename: ./keepalived.deb\nSize: {len(self._package)}\n"
            f"SHA256: {hashlib.sha256(self._package).hexdigest()}\n\n"
        )

    def __enter__(self) -> PackageSource:
        for node in self._lab.controllers:
            node.write_file(f"{FOLDER}/keepalived.deb", self._package)
            node.write_file(f"{FOLDER}/Packages", self._index)
            node.run(["mv", "/etc/apt", "/etc/apt.aside"])
            node.run(["mkdir", "-p", "/etc/apt/sources.list.d", "/etc/apt/apt.conf.d"])
            node.run(["mkdir", "-p", "/etc/apt/preferences.d", "/etc/apt/trusted.gpg.d"])
            source = f"deb [trusted=yes] file:{FOLDER} ./\n"
            node.write_file("/etc/apt/sources.list", source)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for node in self._lab.controllers:
            node.run(["rm", "-rf", "/etc/apt", FOLDER, "/var/lib/apt/lists"])
            node.run(["mv", "/etc/apt.aside", "/etc/apt"])
