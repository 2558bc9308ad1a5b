"""Real files: all can be read, and what is written means the same, token for token."""

import re

import pytest

from keepalived_core import conf


@pytest.fixture(scope="module")
def texts(corpus):
    return {name: text for name, (text, _) in corpus.items()}


def tokens(text):
    """What keepalived reads, written as naively as possible and without our lexer.

    A list of lines; a brace is a line of its own, except in a definition or behind a ~.
    """
    found = []
    defining = False
    for line in text.split("\n"):
        line = uncommented(line.rstrip("\r")).strip(" \t")
        if not line or re.fullmatch(r"@\S*", line):
            continue
        bare = re.sub(r"^@\S+[ \t]+", "", line)
        if defining or re.match(r"\$\w+[ \t]*=", bare) or bare.startswith("~"):
            defining = not bare.startswith("~") and line.endswith("\\")
            found += [squeezed] if (squeezed := _squeezed(line)) else []
            continue
        condition = line[: len(line) - len(bare)].strip()
        for piece in re.findall(r'(?:"[^"]*"|\$\{\w[\w ]*\}|[^"{}])+|[{}]', bare):
            words = re.findall(r'"[^"]*"|[^\s"]+', piece)
            if words and words[0].startswith("~"):
                found.append(_squeezed(piece))
            elif words:
                found.append([condition, *(word.strip('"') for word in words)])
    return found


def _squeezed(line):
    """The line without blanks and without the backslash that says a definition goes on."""
    return re.sub(r"[ \t]+", "", line).removesuffix("\\")


def uncommented(line):
    """The line up to its comment; a backslash protects the next character."""
    if "#" not in line and "!" not in line:
        return line
    quoted = False
    index = 0
    while index < len(line):
        if line[index] == "\\":
            index += 1
        elif line[index] == '"':
            quoted = not quoted
        elif line[index] in "#!" and not quoted:
            return line[:index] + ("\\" if line.endswith("\\") else "")
        index += 1
    return line


def test_every_file_can_be_read(texts):
    assert len(texts) == 309
    for text in texts.values():
        conf.parse(text, strict=False)


def test_only_files_that_keepalived_refuses_are_damaged(texts):
    damaged = [name for name, text in texts.items() if conf.parse(text, strict=False).problems]
    assert sorted(name.rpartition("/")[2] for name in damaged) == [
        "1148.conf",
        "773b.conf",
        "866a.conf",
    ]


def test_writing_keeps_the_token_stream(texts):
    changed = []
    for name, text in texts.items():
        if tokens(text) != tokens(conf.render(conf.parse(text, strict=False))):
            changed.append(name)
    assert changed == []


def test_writing_is_stable_and_keeps_the_meaning(texts):
    for name, text in texts.items():
        tree = conf.parse(text, strict=False)
        once = conf.render(tree)
        again = conf.parse(once, strict=False)
        assert conf.render(again) == once, name
        assert conf.equal(tree, again), name


@pytest.mark.parametrize("config_id", ["", "low"])
def test_the_daemon_sees_the_same_before_and_after(texts, config_id):
    refused = []
    for name, text in texts.items():
        try:
            before = conf.evaluate(text, config_id, strict=False)
        except conf.ConfError as error:
            refused.append((name, error.reason))
            continue
        once = conf.render(conf.parse(text, strict=False))
        assert conf.evaluate(once, config_id, strict=False) == before, name
    print("they stand for more lines than we evaluate:", *refused, sep="\n  ")
    assert len(refused) <= 5
