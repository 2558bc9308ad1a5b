"""Print every address message of this network namespace: the truth that the watch is held against.

A program of its own, with pyroute2: it shares no code with what is tested.
"""

import json
import time

from pyroute2 import IPRoute


def main() -> None:
    with IPRoute() as route:
        route.bind()
        print(flush=True)
        while True:
            for message in route.get():
                if message["event"] in ("RTM_NEWADDR", "RTM_DELADDR"):
                    address = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
                    now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
                    print(json.dumps([message["event"][4:], address, now]), flush=True)


if __name__ == "__main__":
    main()
