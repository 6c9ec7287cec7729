"""Names for data: the same digits for the same content, on every machine."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def hash_text(determined: Any) -> str:
    """16 hexadecimal digits for plain data."""
    text = json.dumps(determined, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
