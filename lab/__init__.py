"""Real Debian machines with real systemd on this machine, for the demo and the cluster tests."""

from lab.host import CommandError, LabError
from lab.lab import Lab
from lab.machine import Node

__all__ = ["CommandError", "Lab", "LabError", "Node"]
