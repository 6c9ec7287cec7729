"""Where results lie: a folder on a disk, or a prefix on object storage, with whole-or-nothing files.

On a disk a file is written beside its place, synced and renamed. An object store shows an object only
once it is complete, so that writing it is enough. Names are given relative to the folder.
"""

from __future__ import annotations

import errno
import io
import itertools
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runs.checking import BadInput, Complaint

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_COUNTER = itertools.count()


@dataclass(frozen=True, slots=True)
class Folder:
    """A place for results: ``path`` on a disk, or ``url`` such as ``s3://bucket/prefix``."""

    url: str
    path: Path | None

    @classmethod
    def of(cls, place: str | Path | Folder) -> Folder:
        """The folder of a path or URL. :class:`BadInput` where its kind of storage is not installed."""
        if isinstance(place, Folder):
            return place
        text = str(place)
        if "://" not in text:
            return cls(text, Path(text))
        if text.startswith("file://"):
            return cls(text[7:], Path(text[7:]))
        found = cls(text.rstrip("/"), None)
        found.system  # noqa: B018  (says at once what is missing)
        return found

    def __str__(self) -> str:
        return self.url

    @property
    def system(self) -> Any:
        """The fsspec file system of a URL."""
        import fsspec  # type: ignore[import-untyped, unused-ignore]

        protocol = self.url.partition("://")[0]
        try:
            return fsspec.filesystem(protocol)
        except (ImportError, ValueError) as error:
            raise BadInput([Complaint(self.url, 0, "--out", f"cannot be reached: {error}")]) from None

    def _at(self, name: str) -> str:
        return f"{self.url.partition('://')[2]}/{name}" if name else self.url.partition("://")[2]

    # -- looking -----------------------------------------------------------------------------
    def exists(self, name: str = "") -> bool:
        if self.path is not None:
            return (self.path / name).exists()
        return bool(self.system.exists(self._at(name)))

    def names(self, inside: str = "") -> list[str]:
        """Names of what lies in the folder (or in one inside it), sorted; empty where there is no such."""
        if self.path is not None:
            try:
                return sorted(os.listdir(self.path / inside))
            except FileNotFoundError:
                return []
        self.system.invalidate_cache()
        try:
            found = self.system.ls(self._at(inside), detail=False)
        except FileNotFoundError:
            return []
        names = (entry.rstrip("/").rpartition("/")[2] for entry in found)
        return sorted({name for name in names if name and entry_is_inside(name, inside)})

    def read(self, name: str) -> bytes:
        if self.path is not None:
            return (self.path / name).read_bytes()
        return bytes(self.system.cat_file(self._at(name)))

    def open_parquet(self, name: str) -> pq.ParquetFile:
        """The Parquet file of that name; an Arrow error or ``OSError`` where it is none."""
        import pyarrow.parquet as pq

        if self.path is not None:
            return pq.ParquetFile(self.path / name, memory_map=False)
        return pq.ParquetFile(self.system.open(self._at(name), "rb"))

    def dataset(self, names: list[str], schema: pa.Schema | None = None) -> Any:
        """Parquet files as one lazily read Arrow dataset."""
        import pyarrow.dataset as ds

        if self.path is not None:
            return ds.dataset([str(self.path / name) for name in names], schema=schema, format="parquet")
        return ds.dataset(
            [self._at(name) for name in names], schema=schema, format="parquet", filesystem=self.system
        )

    # -- writing -----------------------------------------------------------------------------
    def make(self, *inside: str) -> None:
        """Make the folder and those inside it."""
        if self.path is not None:
            for name in ("", *inside):
                (self.path / name).mkdir(parents=True, exist_ok=True)

    def write(self, name: str, content: bytes | Iterator[bytes]) -> None:
        """One file, whole or not at all; ``OSError`` where the disk refuses, and then nothing is left."""
        chunks = (content,) if isinstance(content, bytes) else content
        if self.path is None:
            whole = content if isinstance(content, bytes) else b"".join(chunks)
            self.system.pipe_file(self._at(name), whole)
            return
        place = self.path / name
        temporary = place.with_name(f".{place.name}.{os.getpid()}-{next(_COUNTER)}")
        try:
            with temporary.open("wb") as file:
                for chunk in chunks:
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            rename(temporary, place)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)

    def write_table(self, name: str, table: pa.Table) -> None:
        """A Parquet file, whole or not at all."""
        self.write(name, parquet_bytes(table))

    def remove(self, name: str) -> None:
        """Remove a file; none of that name is as good."""
        with suppress(FileNotFoundError):
            if self.path is not None:
                (self.path / name).unlink()
            else:
                self.system.rm_file(self._at(name))


def parquet_bytes(table: pa.Table) -> bytes:
    """A table as a Parquet file. Figures rarely repeat, so only the other columns get a dictionary and statistics."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    others = [field.name for field in table.schema if not pa.types.is_floating(field.type)]
    flat = [name for name in others if not pa.types.is_nested(table.schema.field(name).type)]
    buffer = io.BytesIO()
    pq.write_table(
        table,
        buffer,
        compression="zstd",
        write_page_checksum=True,
        use_dictionary=flat,
        write_statistics=flat,
    )
    return buffer.getvalue()


def entry_is_inside(name: str, inside: str) -> bool:
    """Object stores may list a folder's own placeholder among its entries."""
    return name != inside.rstrip("/").rpartition("/")[2]


def rename(temporary: Path, path: Path) -> None:
    """Put a finished file in its place, and make the disk remember it."""
    os.replace(temporary, path)
    with suppress(OSError):  # some file systems do not sync a folder; the rename itself is whole
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def why_not(error: OSError) -> str:
    """What a disk's refusal means to somebody who wants the results."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full"
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return "the folder cannot be written to"
    return error.strerror or str(error)
