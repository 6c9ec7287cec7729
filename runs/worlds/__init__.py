"""Worlds as folders of plain data, and the loader that checks them."""

from runs.worlds.loader import available, check, load

__all__ = ["available", "check", "load"]
