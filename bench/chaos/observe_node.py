"""Print what a node's kernel says of the addresses and the link of one interface (a program).

Run inside the node's network namespace.  pyroute2; it shares no code with what it is the truth for.
One JSON list a line: [monotonic microseconds, what, value].
"""

from __future__ import annotations

import json
import sys
import time

from pyroute2 import IPRoute

IFF_RUNNING = 0x40


def main(interface: str) -> None:
    with IPRoute() as route:
        route.bind()
        index = route.link_lookup(ifname=interface)[0]
        say("begin", sorted(_of(message) for message in route.get_addr(index=index)))
        up = None
        while True:
            for message in route.get():
                event = message.get("event")
                if event in ("RTM_NEWADDR", "RTM_DELADDR") and message["index"] == index:
                    say("came" if event == "RTM_NEWADDR" else "went", _of(message))
                elif event == "RTM_NEWLINK" and message["index"] == index:
                    now = bool(message["flags"] & IFF_RUNNING)
                    if now != up:
                        up = now
                        say("link", up)


def say(what: str, value: object) -> None:
    print(
        json.dumps([time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000, what, value]), flush=True
    )


def _of(message: dict) -> str:
    attributes = dict(message["attrs"])
    return attributes.get("IFA_LOCAL") or attributes.get("IFA_ADDRESS")


if __name__ == "__main__":
    main(sys.argv[1])
