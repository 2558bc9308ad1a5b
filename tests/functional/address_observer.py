"""Print every address message of this network namespace: the truth that the watch is held against.

A program of its own, with pyroute2: it shares no code with what is tested.
"""

import json
import socket
import time

from pyroute2 import IPRoute
from pyroute2.netlink.rtnl import RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR

#: socket(7), not in Python's module: beyond net.core.rmem_max, for root.
SO_RCVBUFFORCE = 33
#: Room for a few ten thousand messages: hundreds of addresses may move while this does not get to
#: run, and what finds no room is dropped in silence.
ROOM = 32 << 20


def main() -> None:
    with IPRoute() as route:
        route.bind(groups=RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR)
        with socket.fromfd(route.fileno(), socket.AF_NETLINK, socket.SOCK_RAW) as same:
            same.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
        print(flush=True)
        while True:
            for message in route.get():
                if message["event"] in ("RTM_NEWADDR", "RTM_DELADDR"):
                    address = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
                    now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
                    print(json.dumps([message["event"][4:], address, now]), flush=True)


if __name__ == "__main__":
    main()
