"""The page of a real cluster, made on a real master from what Salt's sync brought there."""

from __future__ import annotations

import json
import re

import pytest

from lab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.root, pytest.mark.timeout(120)]

OUT = "/root/keepalived.html"


def test_the_page_shows_who_has_the_address_and_what_the_hub_knows(healthy: Lab) -> None:
    said = healthy.salt_run("keepalived.report", out=OUT, since="1h")

    assert (said["retcode"], said["asked"], said["notes"]) == (0, True, [])
    text = healthy.master.read_file(OUT)
    assert len(text.encode()) == said["bytes"]
    sheet = json.loads(re.findall(r'id="sheet">(.*?)</script>', text, re.S)[0])
    (cluster,) = sheet["clusters"]
    (instance,) = cluster["instances"]
    assert (cluster["verdict"], instance["vips"][0]["told"]) == ("ok", "held by controller3")
    assert {lane["node"] for lane in sheet["timeline"]["lanes"]} == {
        "controller1",
        "controller2",
        "controller3",
    }
    mode = healthy.master.run(["stat", "-c", "%a", OUT]).stdout.strip()
    assert mode == "640"
