"""A forward proxy between two network namespaces: `python3 -m lab.proxy NETNS PORT HOSTS UPSTREAM`.

It listens in NETNS and connects from the namespace it was started in. HOSTS is a JSON list of the
only hosts it lets through; UPSTREAM is this machine's own proxy address or empty.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import socket
import sys
from urllib.parse import urlsplit

_CLONE_NEWNET = 0x40000000
_PORTS = (80, 443)


def listen_in(netns: str, port: int) -> socket.socket:
    """A listening socket in another network namespace; this process stays in its own."""
    # os.setns came with Python 3.12 only.
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(netns, os.O_RDONLY)
    try:
        if libc.setns(there, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter {netns}")
        listener = socket.create_server(("", port))
        if libc.setns(home, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "cannot come back")
    finally:
        os.close(home)
        os.close(there)
    return listener


class Proxy:
    """Relays one request a connection, to allowed hosts only."""

    def __init__(self, hosts: set[str], upstream: str) -> None:
        self.hosts, self.upstream = hosts, urlsplit(upstream) if upstream else None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle one client."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            line, _, rest = head.partition(b"\r\n")
            method, target, version = line.decode("latin-1").split(" ")
            tunnel = method == "CONNECT"
            url = urlsplit(f"//{target}" if tunnel else target)
            port = url.port or (443 if tunnel else 80)
            if url.hostname not in self.hosts or port not in _PORTS:
                print(f"refused: {method} {target}", flush=True)
                writer.write(b"HTTP/1.1 403 Not a package host\r\nConnection: close\r\n\r\n")
                return
            if self.upstream is not None:
                place = (self.upstream.hostname or "", self.upstream.port or 80)
            else:
                place = (url.hostname, port)
            out_reader, out_writer = await asyncio.open_connection(*place)
            if self.upstream is not None:
                out_writer.write(head)
            elif tunnel:
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                path = (url.path or "/") + (f"?{url.query}" if url.query else "")
                headers = [
                    row
                    for row in rest.split(b"\r\n")
                    if row and not row.lower().startswith((b"connection:", b"proxy-"))
                ]
                # One request a connection keeps this from having to understand bodies.
                first = f"{method} {path} {version}".encode("latin-1")
                out_writer.write(b"\r\n".join([first, *headers, b"Connection: close", b"", b""]))
            await asyncio.gather(_pump(reader, out_writer), _pump(out_reader, writer))
        except (
            OSError,
            ValueError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
        ) as error:
            print(f"failed: {error}", flush=True)
            with contextlib.suppress(OSError):
                writer.write(b"HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n")
        finally:
            with contextlib.suppress(OSError):
                writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.close()


async def _main(netns: str, port: str, hosts: str, upstream: str) -> None:
    listener = listen_in(netns, int(port))
    proxy = Proxy(set(json.loads(hosts)), upstream)
    server = await asyncio.start_server(proxy.serve, sock=listener)
    print("listening", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
