"""Colours by name, once, for light and dark; safe for the common kinds of colour blindness (Okabe and Ito 2008).

Options name colours as ``@blue``. The app resolves them in the browser, so that switching from light to dark
asks nobody; a report resolves them with :func:`themed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Variant = Literal["light", "dark"]

PALETTE: Mapping[Variant, Mapping[str, str]] = {
    "light": {
        "paper": "#f6f7f9",
        "card": "#ffffff",
        "ink": "#17222d",
        "quiet": "#52606d",
        "faint": "#d5dbe1",
        "wash": "#eceff3",
        "blue": "#0072b2",
        "orange": "#d55e00",
        "green": "#007a5a",
        "sky": "#3a97cf",
        "pink": "#b0528a",
        "gold": "#a86f00",
        "violet": "#5b4b9a",
        "grey": "#7a8793",
        "good": "#00664b",
        "bad": "#b04a00",
        "focus": "#0b5fff",
        "accent": "#00548a",
        "onaccent": "#ffffff",
    },
    "dark": {
        "paper": "#10161c",
        "card": "#19222b",
        "ink": "#eef2f5",
        "quiet": "#a9b6c2",
        "faint": "#3a4753",
        "wash": "#222d37",
        "blue": "#5ab4ee",
        "orange": "#ff9a4d",
        "green": "#3ecf9f",
        "sky": "#9ad6f7",
        "pink": "#e79cc4",
        "gold": "#f0b840",
        "violet": "#b5a5f2",
        "grey": "#94a3b0",
        "good": "#4fd8aa",
        "bad": "#ffa766",
        "focus": "#8fb8ff",
        "accent": "#7cc4f5",
        "onaccent": "#0c1218",
    },
}

SERIES: tuple[str, ...] = ("@blue", "@orange", "@green", "@pink", "@gold", "@sky", "@violet", "@grey")
"""Colours of series in the order in which they are used."""


def themed(option: Any, variant: Variant = "light") -> Any:
    """A copy of ``option`` with the names of colours replaced."""
    colours = PALETTE[variant]
    if isinstance(option, str):
        return colours.get(option[1:], option) if option.startswith("@") else option
    if isinstance(option, Mapping):
        return {key: themed(value, variant) for key, value in option.items()}
    if isinstance(option, list | tuple):
        return [themed(value, variant) for value in option]
    return option


def css() -> str:
    """The palette as custom properties, for light and for dark."""
    blocks = []
    for variant, colours in PALETTE.items():
        lines = "".join(f"--{name}: {value};" for name, value in colours.items())
        blocks.append(f".theme--{variant} {{ {lines} }}")
    root = "".join(f"--{name}: {value};" for name, value in PALETTE["light"].items())
    return f":root {{ {root} }}\n" + "\n".join(blocks)
