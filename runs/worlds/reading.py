"""CSV files of a world as lines of cells that remember where they stood."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

from runs.checking import Complaint


@dataclass(slots=True)
class RawFile:
    """One CSV file: header, units row (None where the file has none) and rows with their line numbers."""

    file: str
    header: list[str] = field(default_factory=list)
    units: list[str] | None = None
    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


def read_raw(folder: Path, file: str, units_row: bool, complaints: list[Complaint]) -> RawFile | None:
    """Split ``file`` into cells; None (and a complaint) where it is missing, no UTF-8, or has no header.

    Line 1 is the header. With ``units_row``, line 2 starts with ``#`` and gives the units. Other lines
    that start with ``#`` are comments; empty lines are skipped. Rows of the wrong length are dropped
    with a complaint each.
    """
    try:
        text = (folder / file).read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        complaints.append(Complaint(file, 0, file, f"missing; expected it in {folder.name}/"))
        return None
    except UnicodeDecodeError as error:
        complaints.append(Complaint(file, 0, file, f"found a byte that is not UTF-8 (at byte {error.start})"))
        return None
    lines = text.splitlines()
    raw = RawFile(file)
    if units_row and len(lines) > 1 and lines[1].startswith("#"):
        raw.units = [cell.strip() for cell in next(csv.reader([lines[1][1:]]), [])]
    lines = ["" if line.startswith("#") else line for line in lines]
    reader = csv.reader(lines)
    try:
        raw.header = [cell.strip() for cell in next(reader, [])]
        if not any(raw.header):
            complaints.append(Complaint(file, 1, "header", "missing; line 1 names the columns"))
            return None
        width = len(raw.header)
        for row in reader:
            if not row:
                continue
            if len(row) != width:
                found = f"found {len(row)} cells, expected {width}, one for each column of the header"
                complaints.append(Complaint(file, reader.line_num, row[0], found))
                continue
            raw.rows.append([cell.strip() for cell in row])
            raw.lines.append(reader.line_num)
    except csv.Error as error:
        complaints.append(Complaint(file, reader.line_num, "row", f"not CSV: {error}"))
    return raw
