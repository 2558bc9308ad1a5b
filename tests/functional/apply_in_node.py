"""What the execution module does, without Salt: plan a text and apply it, inside a node.

Reads ``{"text", "allowed", "reload", "verb", ...}`` as JSON from its first argument; prints what
came of it as JSON.
"""

import json
import subprocess
import sys
import time

from keepalived_core import conf, deploy, judge
from keepalived_core.node import apply as applying
from keepalived_core.node import pending, process
from keepalived_core.node.paths import DEFAULT as PATHS

PATH = str(PATHS.config)


def restart():
    """As systemd would: stop it, and start it as the node's tests do."""
    old = process.find(PATHS)
    if old:
        subprocess.run(["kill", str(old.pid)], check=True)
        while old.alive():
            time.sleep(0.02)
    subprocess.run(["sh", "-c", "TMPDIR=/run/tmp keepalived -l -D >> /run/keepalived.log 2>&1"])


def apply(text, allowed=False, reload="now", expect=None, hook=None):
    with deploy.alone(PATH, PATHS):
        made = judge.plan(PATH, conf.parse(text), process.version().tuple, dict, PATHS)
        judge.check_expected(PATH, made, expect)
        judge.check_allowed(made, allowed, "c", PATHS)
        if hook:
            hook()
        done = deploy.carry_out(PATH, made, PATHS, reload=reload, restart=restart, allowed=allowed)
        change = made.change.to_data() if made.change else None
        return {"action": made.action, "change": change, **done}


def ask(given):
    verb = given.pop("verb", "apply")
    try:
        if verb == "apply":
            return apply(**given)
        if verb == "commit":
            with deploy.alone(PATH, PATHS):
                return deploy.commit(PATHS, restart=restart, **given)
        if verb == "put_back":
            with deploy.alone(PATH, PATHS):
                return deploy.put_back(PATHS, restart=restart, **given)
        if verb == "reload":
            with deploy.alone(PATH, PATHS):
                return deploy.reload_as_it_stands(PATHS, process.version().tuple)
        found = pending.read(PATHS)
        return found and found.to_data()
    except applying.ApplyError as err:
        return {"error": err.reason}


if __name__ == "__main__":
    print(json.dumps(ask(json.loads(sys.argv[1]))))
