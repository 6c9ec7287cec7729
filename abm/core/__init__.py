"""Compiled numerical cores; each folder below is one problem and its solver."""
