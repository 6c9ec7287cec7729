"""How long a batch will take and how large it will be, from running two of its cases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from runs.batches.shards import Shard
from runs.batches.study import Study
from runs.folder import parquet_bytes


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds of one run, bytes it adds to a shard, bytes of a shard without runs, and why a trial run failed."""

    run_s: float
    run_bytes: float
    shard_bytes: float
    failure: str = ""

    def total_bytes(self, runs: int, target_s: float) -> float:
        """Bytes of so many runs in shards of ``target_s`` seconds of work."""
        shards = max(runs * self.run_s / target_s, 1.0)
        return runs * self.run_bytes + shards * self.shard_bytes


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
        sizes.append(sum(len(parquet_bytes(table)) for table in shard.tables(study.schemas()).values()))
    more = (sizes[1] - sizes[0]) / (len(ran) - 1) if len(ran) > 1 else sizes[0]
    failures = [one.error for one in ran if one.error]
    seconds = [one.wall_s for one in ran[1:] or ran]
    return Estimate(float(np.median(seconds)), more, sizes[0] - more, failures[0] if failures else "")
