"""A population of firms in columns: births, a month, the market that they meet, and what entering is worth."""

from .births import enter, found
from .clearing import clear
from .columns import FLOATS, TAGS, TOTALS, Month
from .month import plan, sign, stocks
from .settle import buy, settle
from .value import worth_at, worth_of_entry

__all__ = [
    "FLOATS",
    "TAGS",
    "TOTALS",
    "Month",
    "buy",
    "clear",
    "enter",
    "found",
    "plan",
    "settle",
    "sign",
    "stocks",
    "worth_at",
    "worth_of_entry",
]
