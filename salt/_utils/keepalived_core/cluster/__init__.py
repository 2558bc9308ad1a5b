"""Many hosts: pure functions over plain data."""
