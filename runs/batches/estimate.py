"""How long a batch will take and how large it will be, from running two of its cases."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from runs.batches.shards import Shard
from runs.batches.study import Study


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds of one run, bytes it adds to a shard, and why a trial run failed, if it did."""

    run_s: float
    run_bytes: float
    failure: str = ""


def estimate(study: Study) -> Estimate:
    """Run the first case (which may compile kernels) and the last, and measure the last."""
    ids = study.ids()
    cases = list(dict.fromkeys((0, study.size - 1, study.size // 2)))
    ran = list(study.simulate(cases, [ids[case].decode() for case in cases], lambda case: None))
    sizes = []
    for count in (1, len(ran)):
        shard = Shard(study)
        for one in ran[:count]:
            shard.add(one, ids[one.case].decode())
        sizes.append(sum(_size(table) for table in shard.tables(study.schemas()).values()))
    more = (sizes[1] - sizes[0]) / (len(ran) - 1) if len(ran) > 1 else sizes[0]
    failures = [one.error for one in ran if one.error]
    seconds = [one.wall_s for one in ran[1:] or ran]
    return Estimate(float(np.median(seconds)), more, failures[0] if failures else "")


def _size(table: object) -> int:
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    return len(buffer.getvalue())
