"""Python's cyclic garbage collector, held while a tree grows."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_held() -> Iterator[None]:
    """No search for cycles inside: a tree has none, and to look for some in all that was read so
    far, again and again, makes the time grow faster than the text (a third of it at 10,000
    instances).  What nobody refers to any more is freed all the same.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
