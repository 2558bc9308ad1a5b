"""Signatures of events: a key for each node, made from one secret that only the master has.

The master derives a node's key whenever it needs it, so it stores none.  A node that is broken into
gives away its own key and nobody else's.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

#: The form of a signature: ``1:<key id>:<hex>``.
VERSION = "1"
#: What a message has on it when it is signed: nothing.  The master stamps whatever arrives.
UNSIGNED = ("signature", "_stamp")

# They keep what is hashed for one purpose from being of use for another.
_KEY_PURPOSE = b"salt-keepalived event key 1\0"
_ID_PURPOSE = b"salt-keepalived key id 1\0"
_KEY = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SIGNATURE = re.compile(r"1:([0-9a-f]{12}):([0-9a-f]{64})", re.ASCII)


def node_key(secret: bytes, minion_id: str) -> str:
    """Return the key of one node, 64 hex digits."""
    return hmac.new(secret, _KEY_PURPOSE + minion_id.encode(), hashlib.sha256).hexdigest()


def is_key(text: object) -> bool:
    """Return whether ``text`` has the form of a node's key."""
    return isinstance(text, str) and _KEY.fullmatch(text) is not None


def key_id(key: str) -> str:
    """Return what names a key in public: 12 hex digits that tell nothing about it."""
    return hashlib.sha256(_ID_PURPOSE + bytes.fromhex(key)).hexdigest()[:12]


def canonical(row: Mapping[str, Any]) -> bytes:
    """Return the bytes that are signed: all fields but the signature, in one spelling.

    Plain ASCII, so that neither a transport nor a file system's encoding can change them.
    Raises :class:`ValueError` or :class:`TypeError` for what JSON cannot say.
    """
    bare = {key: value for key, value in row.items() if key not in UNSIGNED}
    return json.dumps(
        bare, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    ).encode("ascii")


def sign(row: Mapping[str, Any], key: str) -> str:
    """Return the signature of ``row``; a signature that it has already does not count."""
    return f"{VERSION}:{key_id(key)}:{_digest(row, key)}"


def verify(row: Mapping[str, Any], keys: Iterable[str]) -> bool:
    """Return whether ``row`` was signed with one of ``keys``.

    Several keys: while a secret is replaced, a node may still sign with the one before.  Never
    raises, whatever ``row`` holds.
    """
    try:
        match = _SIGNATURE.fullmatch(row["signature"])
        if match is None:
            return False
        found = False
        for key in keys:
            if key_id(key) == match[1]:
                found |= hmac.compare_digest(_digest(row, key), match[2])
        return found
    except (KeyError, TypeError, ValueError, RecursionError, AttributeError):
        return False


def _digest(row: Mapping[str, Any], key: str) -> str:
    return hmac.new(bytes.fromhex(key), canonical(row), hashlib.sha256).hexdigest()
