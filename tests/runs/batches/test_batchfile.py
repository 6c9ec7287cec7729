"""A batch file is checked as a whole before anything runs: every complaint with file, line, key and the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies.reading import Problems
from runs.batches.batchfile import parse_batch, read_batch
from runs.batches.planning import plan
from runs.batches.spec import Batch, Correlation, Fork, Keep, Limits, Range, Sample
from runs.checking import BadInput
from runs.located_toml import parse_document

WHOLE = """\
title = "Everything that a batch can say"
world = "toy"
scenarios = ["baseline", "shortage"]
packages = ["no-policy", "mine.toml"]
replicates = 5
seed = 9223372036854775807
watch = "ai_sites_mw"

[settings]
pue = 1.2

[sample]
method = "lhs"
n = 64
uncertainties = ["lng_price_factor", "coal_price_factor"]
levers = ["carbon_price"]

[sample.ranges]
lng_price_factor = [0.8, 2]
carbon_price = { low = 1, high = 50_000, distribution = "loguniform" }
coal_price_factor = { low = 0.8, high = 2, mode = 1.1 }

[[sample.correlations]]
between = ["lng_price_factor", "coal_price_factor"]
rank = 0.7

[keep]
indicators = ["ai_sites_mw"]
series = []
decisions = true

[fork]
at = "2026-07"
base = "no-policy"

[limits]
time_s = 30
memory_mb = 900
attempts = 2
"""


def parsed(text: str) -> tuple[Batch, Problems]:
    problems = Problems()
    return parse_batch(parse_document(text).data, problems, Path("/home/ministry")), problems


def test_everything_that_can_be_said_is_read() -> None:
    found, problems = parsed(WHOLE)
    assert problems == []
    assert found == Batch(
        world="toy",
        scenarios=("baseline", "shortage"),
        packages=("no-policy", "/home/ministry/mine.toml"),
        replicates=5,
        seed=2**63 - 1,
        settings={"pue": 1.2},
        sample=Sample(
            "lhs", 64, ("lng_price_factor", "coal_price_factor"), ("carbon_price",),
            {
                "lng_price_factor": Range(0.8, 2.0),
                "carbon_price": Range(1.0, 50_000.0, "loguniform"),
                "coal_price_factor": Range(0.8, 2.0, "triangular", 1.1),
            },
            (Correlation("lng_price_factor", "coal_price_factor", 0.7),),
        ),
        keep=Keep(("ai_sites_mw",), (), decisions=True),
        fork=Fork("2026-07", "no-policy"),
        limits=Limits(30.0, 900.0, 2),
        watch="ai_sites_mw",
        title="Everything that a batch can say",
    )  # fmt: skip


def test_an_empty_file_is_one_run_of_the_defaults() -> None:
    assert parsed("") == (Batch(), [])


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('scenarioz = ["baseline"]', 1, "scenarioz: .*did you mean 'scenarios'"),
        ('world = "toi"', 1, "world: .*did you mean 'toy'"),
        ('world = "toy"\nscenarios = ["baseline", "baseline"]', 2, r"scenarios\[2\]: found 'baseline' twice"),
        ('world = "toy"\npackages = 3', 2, "packages: found 3, expected a list of names"),
        ('world = "toy"\nreplicates = 0', 2, "replicates: found 0, allowed 1 to"),
        ('world = "toy"\nreplicates = 2.5', 2, "replicates: .*whole number"),
        ('world = "toy"\nseed = -1', 2, "seed: found -1, allowed 0 to"),
        ('world = "toy"\n[settings]\npue = "fast"', 3, "settings.pue: found 'fast', expected a number"),
        ('world = "toy"\n[sample]\nmethod = "halton"\nn = 2', 3, "sample.method: found 'halton'"),
        ('world = "toy"\n[sample]\nmethod = "sobol"', 2, "sample: the key 'n' is missing"),
        ('world = "toy"\n[sample]\nmethod = "factorial"\nn = 4', 4, "sample.n: means nothing"),
        ('world = "toy"\n[sample]\nn = 4\nlevels = 4', 4, "sample.levels: means nothing"),
        ('world = "toy"\n[sample]\nn = 4\nuncertainties = ["pu"]', 4, r"uncertainties\[1\]: .*did you mean 'pue'"),
        ('world = "toy"\n[sample]\nn = 4\nuncertainties = ["pue"]\nranges = { pue = [2] }', 5, "found 1 numbers"),
        ('world = "toy"\n[sample]\nn = 4\n[sample.ranges]\npue = { low = 1.1 }', 5, "the key 'high' is missing"),
        (
            'world = "toy"\n[sample]\nn = 4\n[sample.ranges]\npue = { low = 1.1, high = 1.2, distribution = "normal" }',
            5, "distribution: found 'normal'",
        ),
        (
            'world = "toy"\n[sample]\nn = 4\n[sample.ranges]\npue = { low = -1, high = 1, distribution = "loguniform" }',
            5, "begins above 0",
        ),
        ('world = "toy"\n[sample]\nn = 4\n[[sample.correlations]]\nbetween = ["pue"]\nrank = 0.5', 5, "expected two names"),
        ('world = "toy"\n[sample]\nn = 4\n[[sample.correlations]]\nbetween = ["pue", "pue"]\nrank = 2', 6, "rank: found 2"),
        (
            'world = "toy"\n[sample]\nmethod = "morris"\nn = 4\n[[sample.correlations]]\nbetween = ["a", "b"]\nrank = 0',
            5, "draws its quantities independently",
        ),
        ('world = "toy"\n[keep]\nserie = []', 3, "keep.serie: .*did you mean 'series'"),
        ('world = "toy"\n[keep]\nseries = ["gpu_online"]', 3, r"keep.series\[1\]: .*did you mean 'gpus_online'"),
        ('world = "toy"\n[keep]\ndecisions = 1', 3, "keep.decisions: found 1, expected true or false"),
        ('world = "toy"\n[fork]\nbase = "no-policy"', 2, "fork: the key 'at' is missing"),
        ('world = "toy"\n[fork]\nat = "2025-01"', 3, "fork.at: found 2025-01, allowed 2025-02 to 2028-12"),
        ('world = "toy"\n[limits]\ntime_s = -3', 3, "limits.time_s: found -3"),
        ('world = "toy"\nwatch = "ai_sites"', 2, "watch: .*did you mean 'ai_sites_mw'"),
        ("world = ", 1, "no valid TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_on_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    file = tmp_path / "batch.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=rf"batch\.toml:{line}: .*{says}|batch\.toml:{line}: {says}"):
        plan(*read_batch(file))


def test_all_complaints_come_at_once(tmp_path: Path) -> None:
    file = tmp_path / "batch.toml"
    file.write_text(
        'world = "toy"\nscenarios = ["basline"]\nreplicates = "x"\n[sample]\nn = 4\nuncertainties = ["pu"]\n',
        encoding="utf-8",
    )
    with pytest.raises(BadInput) as bad:
        plan(*read_batch(file))
    assert [complaint.line for complaint in bad.value.complaints] == [2, 3, 6]


def test_a_scenario_file_beside_the_batch_is_found_and_its_own_mistakes_are_named(tmp_path: Path) -> None:
    (tmp_path / "hot.toml").write_text("[uncertainties]\npue = 7\n", encoding="utf-8")
    file = tmp_path / "batch.toml"
    file.write_text('world = "toy"\npackages = ["no-policy"]\nscenarios = ["hot.toml"]\n', encoding="utf-8")
    with pytest.raises(BadInput, match=r"hot\.toml:2: uncertainties.pue: found 7, allowed 1.05 to 1.6"):
        plan(*read_batch(file))


def test_the_smallest_file_of_the_design_is_a_batch() -> None:
    found, problems = parsed(
        'world = "korea"\nscenarios = ["baseline", "grid-delay"]\npackages = ["as-announced", "grid-first"]\n'
        'replicates = 200\nseed = 1\n[sample]\nmethod = "lhs"\nn = 64\n'
        'uncertainties = ["line_delay_months", "gpu_supply_factor"]\n'
        '[keep]\nseries = ["gpus_online", "ai_sites_mw"]\ndecisions = false\n'
    )
    assert problems == []
    assert plan(found).size == 2 * 2 * 64 * 200
