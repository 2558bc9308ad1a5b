"""Services of the reactor's tests: no restart of these touches the machine."""

import json
import os
import pathlib

from salt.exceptions import CommandExecutionError


def __virtual__():
    return "service"


def restart(name):
    """Note the restart; mend the checks that the test says it mends."""
    path = pathlib.Path(__opts__["reactor_test_world"])
    world = json.loads(path.read_text(encoding="utf-8"))
    world["restarts"].append(name)
    mends = world["mends"].get(name)
    for check in mends or ():
        world["checks"][check].update(ok=True, rc=0)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(world), encoding="utf-8")
    os.replace(fresh, path)
    if mends is None:
        raise CommandExecutionError(f"Job for {name}.service failed")
    return True
