"""Print one JSON line for each time the kernel gains or loses one of the addresses (a program).

Run inside a node's network namespace.  It uses pyroute2 and shares no code with the watch: what
it says is what the watch is measured against.
"""

from __future__ import annotations

import json
import sys
import time

from pyroute2 import IPRoute


def main(addresses: list[str]) -> None:
    with IPRoute() as ipr:
        ipr.bind()
        print(json.dumps("listening"), flush=True)
        present = {address: bool(ipr.get_addr(address=address)) for address in addresses}
        while True:
            for message in ipr.get():
                event = message.get("event")
                if event not in ("RTM_NEWADDR", "RTM_DELADDR"):
                    continue
                attributes = dict(message["attrs"])
                found = attributes.get("IFA_LOCAL") or attributes.get("IFA_ADDRESS")
                now = event == "RTM_NEWADDR"
                if found in present and now != present[found]:
                    present[found] = now
                    row = {"time": time.time(), "address": found, "present": now}
                    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
