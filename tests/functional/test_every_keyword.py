"""Every keyword of the table against real keepalived releases, both ways.

What a release should know it takes without a word; what is newer it refuses, and so do we, with
the release named.  The installed keepalived is always asked; those of other Debian suites where
the lab's images are built, or with SALT_KEEPALIVED_VERSIONS=1, which builds them.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
from collections.abc import Iterator

import pytest
from keepalived_roots import Root, layers
from keyword_samples import Sample, samples

from keepalived_core import conf, pillar
from keepalived_core.check.lint import lint
from keepalived_core.conf.fault import ERROR
from keepalived_core.conf.keyword import version_text
from lab import images

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
]

HEAD = "global_defs {\n    enable_script_security\n    script_user root\n}\n"

# keepalived 2.3.3 reads `SMTP_CHECK { host {` for ever: it puts one checker on a list twice.
ENDLESS = {(2, 3, 3): "virtual_server/real_server/SMTP_CHECK/host"}

# What keepalived says to a valid line all the same, and why that is no fault of the line.
SAID = {
    # This machine's kernel has no VRF to name.
    "vrrp_instance/vrf": r"VRF interface vrf1 doesn't exist|Non-existent interface specified",
    # Not built in: the word is known, and answered with what to use instead.
    "global_defs/vrrp_iptables": r"iptables not supported, using nftables instead",
}


@pytest.fixture(scope="module", params=["installed", "bullseye", "trixie"])
def root(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Root]:
    """The keepalived this machine has, then those of other suites."""
    suite = "" if request.param == "installed" else str(request.param)
    if not suite and shutil.which("keepalived") is None:
        pytest.skip("keepalived is not installed")
    if suite and not all(layer.is_dir() for layer in layers(suite)):
        if os.environ.get("SALT_KEEPALIVED_VERSIONS") != "1":
            pytest.skip(
                f"the {suite} image is not built: `python3 -m lab build --suite {suite}`, "
                "or SALT_KEEPALIVED_VERSIONS=1 builds it (a minute or two)"
            )
        images.ensure(suite, salt=False)
    found = Root(suite, tmp_path_factory.mktemp("root"))
    yield found
    found.close()


@functools.lru_cache(maxsize=1)
def everything() -> list[tuple[Sample, str]]:
    """Each keyword's sample, and its text as we render it."""
    return [
        (sample, conf.render(pillar.to_tree({"config": sample.config}))) for sample in samples()
    ]


def known(root: Root, sample: Sample) -> bool:
    """Whether this release and build should read the keyword."""
    return sample.keyword.since <= root.version and (
        not sample.build or sample.build in root.options
    )


def endless(root: Root, sample: Sample) -> bool:
    """Whether this release never ends reading the keyword."""
    return sample.name.startswith(ENDLESS.get(root.version, "-"))


def complaint(root: Root, batch: list[tuple[Sample, str]]) -> str:
    """What keepalived says to these samples in one file, without what is no fault."""
    _, said = root.check(HEAD + "".join(text for _, text in batch))
    lines = [line for line in said.splitlines() if line.strip()]
    if len(batch) > 1:
        return "\n".join(lines)
    sample, _ = batch[0]
    excuse = SAID.get(sample.name, "")
    if sample.keyword.deprecated:
        excuse = r"deprecated|please (use|replace)"
        # The second line of the notice about lvs_sync_daemon_interface.
        excuse += r"|Please use global lvs_sync_daemon"
    return "\n".join(line for line in lines if not excuse or not re.search(excuse, line))


def complaints(root: Root, batch: list[tuple[Sample, str]]) -> dict[str, str]:
    """Sample -> what keepalived says to it alone; a file without complaint clears all in it."""
    said = complaint(root, batch)
    if not said:
        return {}
    if len(batch) == 1:
        return {batch[0][0].name: said}
    middle = len(batch) // 2
    return {**complaints(root, batch[:middle]), **complaints(root, batch[middle:])}


def test_what_a_release_should_know_it_takes_without_a_word(root: Root) -> None:
    batches: dict[str, list[tuple[Sample, str]]] = {}
    taken = 0
    for sample, text in everything():
        if known(root, sample) and not endless(root, sample):
            batches.setdefault(sample.path[0], []).append((sample, text))
            taken += 1
    found: dict[str, str] = {}
    for batch in batches.values():
        found.update(complaints(root, batch))
    assert found == {}
    print(f"keepalived {version_text(root.version)} takes {taken} keywords")
    assert taken > 450


def test_what_is_newer_or_not_built_in_it_does_not_know(root: Root) -> None:
    wrong = {}
    refused = 0
    for sample, text in everything():
        if known(root, sample):
            continue
        refused += 1
        _, said = root.check(HEAD + text)
        # One sample may need several new words; the first of them is enough.
        if not re.search(r"Unknown keyword", said) and not re.search(
            SAID.get(sample.name, "^$"), said
        ):
            wrong[sample.name] = said
    assert wrong == {}
    print(f"keepalived {version_text(root.version)} refuses {refused} keywords")
    assert refused


def test_we_refuse_what_is_newer_and_name_the_release(root: Root) -> None:
    release = version_text(root.version)
    newer = [(sample, text) for sample, text in everything() if sample.keyword.since > root.version]
    assert newer
    for sample, text in newer:
        needs = f"needs keepalived {version_text(sample.keyword.since)}"
        with pytest.raises(pillar.PillarError) as error:
            pillar.to_tree({"config": sample.config}, version=release)
        told = [f for f in lint(conf.parse(text), release) if f.code == "KA104"]
        assert any(needs in f.message and f.severity == ERROR for f in told), sample.name
        # Pillar stops at a block that is new itself, and names that.
        assert re.search(r"needs keepalived [0-9.]+; this node has", str(error.value)), sample.name


def test_we_take_what_a_release_takes(root: Root) -> None:
    release = version_text(root.version)
    wrong = {}
    for sample, text in everything():
        if not known(root, sample):
            continue
        pillar.to_tree({"config": sample.config}, version=release)
        errors = [str(f) for f in lint(conf.parse(text), release) if f.severity == ERROR]
        if errors:
            wrong[sample.name] = errors
    assert wrong == {}
