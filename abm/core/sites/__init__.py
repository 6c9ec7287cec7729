"""Compiled: what all sites do every month."""
