"""Compiled: what dispatched days add up to over a month."""
