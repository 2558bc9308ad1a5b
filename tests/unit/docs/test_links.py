"""A link that leads nowhere is found, with its page and line; one in code is none."""

from __future__ import annotations

import pytest

from docs import links

PAGE = """# The page

## A `keepalived.status` (I1) — what?

### Twice

### Twice

<a id="by-hand"></a>

```console
# no heading
```
"""


def said(root, text):
    (root / "docs").mkdir(exist_ok=True)
    (root / "docs" / "page.md").write_text(PAGE, encoding="utf-8")
    (root / "docs" / "picture.svg").write_text("<svg/>", encoding="utf-8")
    (root / "README.md").write_text(text, encoding="utf-8")
    return links.problems(root)


GOOD = {
    "a page": "[a](docs/page.md)",
    "a folder": "[a](docs)",
    "a heading": "[a](docs/page.md#the-page)",
    "a heading with code and signs": "[a](docs/page.md#a-keepalivedstatus-i1--what)",
    "the second of two": "[a](docs/page.md#twice-1)",
    "an id of its own": "[a](docs/page.md#by-hand)",
    "a heading of the same page": "# Here it is\n\n[a](#here-it-is)",
    "an image in a link": "[![b](docs/picture.svg)](docs/page.md)",
    "a title": '[a](docs/page.md "The page")',
    "a web address": "[a](https://example.com/x#y)",
    "a mail address": "[a](mailto:a@example.com)",
    "in a fence": "```text\n[a](nowhere.md)\n```",
    "in a longer fence": "````text\n```\n[a](nowhere.md)\n```\n````",
    "in code": "`[a](nowhere.md)`",
    "in a comment": "<!-- [a](nowhere.md) -->",
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD.keys())
def test_a_link_that_leads_somewhere_is_no_problem(text, tmp_path):
    assert said(tmp_path, text) == []


BROKEN = {
    "no such page": ("\n[a](docs/pages.md)", "2: docs/pages.md does not exist"),
    "no such heading": ("[a](docs/page.md#no)", "1: docs/page.md has no heading #no"),
    "a heading in a fence": ("[a](docs/page.md#no-heading)", "has no heading #no-heading"),
    "no third of two": ("[a](docs/page.md#twice-2)", "has no heading #twice-2"),
    "no such heading here": ("[a](#no)", "1: README.md has no heading #no"),
    "no such image": ("![a](docs/photo.svg)", "1: docs/photo.svg does not exist"),
    "no such image in a link": ("[![a](photo.svg)](docs/page.md)", "1: photo.svg does not exist"),
    "an image by HTML": ('<img alt="a" src="photo.svg">', "1: photo.svg does not exist"),
    "no target": ("[a]()", "1: a link without a target"),
    "out of the repository": ("[a](../x.md)", "leads out of the repository"),
    "from the root of the disk": ("[a](/docs/page.md)", "leads out of the repository"),
    "half an address": ("[a](https:/example)", "is no web address"),
    "a scheme that no reader opens": ("[a](file:///etc/passwd)", "is no web address"),
    "half a mail address": ("[a](mailto:example.com)", "is no mail address"),
    "text over two lines": ("[a\nb](no.md)", "2: no.md does not exist"),
    "behind a lone backtick": ("a ` b\n\n[a](no.md)\n\nc ` d", "3: no.md does not exist"),
}


@pytest.mark.parametrize("text, words", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_link_is_told_with_its_place(text, words, tmp_path):
    (problem,) = said(tmp_path, text)
    assert problem.startswith("README.md:")
    assert words in problem


def test_every_page_is_read(tmp_path):
    for name in ("CHANGELOG.md", "docs/decisions/1.md", "lab/README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("[a](no.md)", encoding="utf-8")
    assert len(said(tmp_path, "")) == 3
