"""Compiled: carrying a month's journal to the accounts, and weighing them at the close."""
