"""A stand-in for the node's verbs: its spool is a file that the test writes."""

import json
import time

__virtualname__ = "keepalived"


def __virtual__():
    return __virtualname__


def journal_rows(stream_id=None, after=0, limit=1000):
    with open(__opts__["hub_test_spool"], encoding="utf-8") as file:
        spool = json.load(file)
    time.sleep(spool["slow"])
    rows = spool["rows"]
    if stream_id is None:
        rows = rows[-limit:]
    elif stream_id != spool["stream_id"]:
        rows = []
    else:
        rows = [row for row in rows if row["seq"] > after][:limit]
    return [*rows, spool["heartbeat"]]


def journal(last=20, since=None, instance=None):
    with open(__opts__["hub_test_spool"], encoding="utf-8") as file:
        return json.load(file)["rows"][-last:]
