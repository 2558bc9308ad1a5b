"""How Debian's Chromium is started for tests, measurements and pictures."""

PATH = "/usr/bin/chromium"
#: No sandbox, for root has none; nothing that talks to anybody by itself.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
