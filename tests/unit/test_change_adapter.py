"""What changes a node, as Salt calls it: the arguments of a command line, and the file's sum."""

from __future__ import annotations

import contextlib
import hashlib
import sys
from types import ModuleType, SimpleNamespace

import pytest
from runner_loading import load

salt_exceptions = pytest.importorskip("salt.exceptions")
salt_args = pytest.importorskip("salt.utils.args")

#: (what stands behind reload= on the command line, when the library is told to reload)
WHEN = [("no", "no"), ("now", "now"), ("yes", "now"), ("False", "no"), ("True", "now")]


@pytest.fixture
def module(monkeypatch):
    """The module, with a library that notes when it is to reload and does nothing."""
    # What the other tests hold stays theirs.
    monkeypatch.setitem(sys.modules, "keepalived_node", ModuleType("keepalived_node"))
    found = load(monkeypatch, "_modules/keepalived_change.py", {})
    found.told = []

    def note(*_args, reload, **_kwargs):
        found.told.append(reload)
        return {"notes": []}

    made = SimpleNamespace(action="nothing", diff="", notes=[], change=None)
    monkeypatch.setattr(found.deploying, "alone", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(found.deploying, "put_back", note)
    monkeypatch.setattr(found.deploying, "carry_out", note)
    monkeypatch.setattr(found.judging, "check_expected", lambda *_: None)
    monkeypatch.setattr(found.judging, "check_allowed", lambda *_: None)
    monkeypatch.setattr(found.drain_file, "prepare", lambda *_: None)
    monkeypatch.setattr(found, "_plan", lambda *_: made)
    monkeypatch.setattr(found, "_node", lambda: SimpleNamespace(pillar={}))
    return found


@pytest.mark.parametrize("verb", ["apply", "put_back"])
@pytest.mark.parametrize(("word", "when"), WHEN)
def test_reload_is_what_was_typed_although_salt_reads_it_as_yaml(module, verb, word, when):
    getattr(module, verb)(reload=salt_args.yamlify_arg(word))
    assert module.told == [when]


@pytest.mark.parametrize("verb", ["apply", "put_back"])
@pytest.mark.parametrize("word", ["later", "0", "1", "None", "[no]"])
def test_what_is_no_time_to_reload_is_refused_and_nothing_is_done(module, verb, word):
    with pytest.raises(salt_exceptions.SaltInvocationError, match="reload is now or no, not"):
        getattr(module, verb)(reload=salt_args.yamlify_arg(word))
    assert module.told == []


@pytest.mark.parametrize("content", [b"! Z\xfcrich\r\nvrrp_instance VI {\r\n}\r\n", b"", None])
def test_the_sum_of_the_live_file_is_that_of_its_bytes_as_in_the_plan(
    monkeypatch, tmp_path, content
):
    found = load(monkeypatch, "_modules/keepalived_rollout.py", {})
    path = tmp_path / "keepalived.conf"
    monkeypatch.setattr(found, "PATHS", SimpleNamespace(config=path))
    if content is not None:
        path.write_bytes(content)
    wanted = None if content is None else hashlib.sha256(content).hexdigest()
    assert found.live_sum() == wanted


#: What the library raises with a line of a file that is no UTF-8.
QUOTED = [
    lambda module, line: module.conf.parse(line),
    lambda module, line: module._raise(module.apply.ApplyError(line)),
    lambda module, line: module._raise(ValueError(line)),
]


@pytest.mark.parametrize("fails", QUOTED)
def test_an_error_that_quotes_a_file_that_is_no_utf_8_can_be_sent(monkeypatch, fails):
    module = load(monkeypatch, "_utils/keepalived_node.py", {})

    def throw(err):
        raise err

    module._raise = throw
    with (
        pytest.raises(salt_exceptions.SaltException, match=r"vrrp_instance Z\\udcfcrich") as failed,
        module.Errors(),
    ):
        fails(module, "vrrp_instance Z\udcfcrich {\n")
    assert str(failed.value).encode("utf-8")
