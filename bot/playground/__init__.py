"""A small, strict Discord on loopback: the offline demo runs in it, and so do the end-to-end tests."""
