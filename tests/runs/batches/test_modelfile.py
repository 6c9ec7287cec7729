"""A batch file that names a Mesa model: the same runs as from Python, with all that the command does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from policies.reading import Problems
from runs import Results, batch
from runs.batches import Limits, Pool, Range, Sample, replay
from runs.batches.batchfile import open_batch
from runs.batches.classes import load_class
from runs.batches.modelfile import parse_model_batch
from runs.batches.sources import source_hash
from runs.batches.spec import Correlation, ModelBatch
from runs.checking import BadInput
from runs.cli import app
from runs.located_toml import parse_document
from tests.runs.batches.folders import TIMING, assert_same
from tests.runs.batches.models import Cheap

ROOT = Path(__file__).resolve().parents[3]
CHEAP = "tests.runs.batches.models:Cheap"
FILE = f"""\
model = "{CHEAP}"
replicates = 3
max_steps = 4
seed = 5
[parameters]
x = [0.0, 1.0]
steps = 4
"""
WALK = "from tests.runs.batches.models import Cheap\nclass Walk(Cheap):\n    pass\n"
RAISES = "    def __init__(self, rng=None):\n        raise ValueError('no')\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to work in; modules that are imported from it are forgotten afterwards."""
    path, modules = sys.path.copy(), set(sys.modules)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def write(name: str, text: str) -> Path:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")
    return Path(name)


def madang(*words: object) -> tuple[int, str, str]:
    ended = CliRunner().invoke(app, [*map(str, words)])
    assert "fault of madang" not in ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.exit_code, ended.stdout, ended.stderr


def complaints(text: str) -> list[str]:
    write("wrong.toml", text)
    with pytest.raises(BadInput) as bad:
        open_batch(Path("wrong.toml"))
    return [str(complaint) for complaint in bad.value.complaints]


def test_everything_that_can_be_said_is_read() -> None:
    text = """\
    title = "Wealth"
    about = "who has it"
    model = "mine.py:Wealth"
    replicates = 5
    max_steps = 20
    seed = 9223372036854775807
    watch = "gini"
    [parameters]
    n = [10, 20]
    kind = "grid"
    [sample]
    method = "saltelli"
    n = 8
    second_order = true
    [sample.ranges]
    a = [0, 1]
    b = { low = 1, high = 2, distribution = "loguniform" }
    [keep]
    series = ["gini"]
    [keep.indicators]
    gini = "gini_now"
    [limits]
    time_s = 3
    """
    problems = Problems()
    found = parse_model_batch(parse_document(text).data, problems)
    assert problems == []
    ranges = {"a": Range(0.0, 1.0), "b": Range(1.0, 2.0, "loguniform")}
    assert found == ModelBatch(
        model="mine.py:Wealth", parameters={"n": [10, 20], "kind": "grid"}, replicates=5, max_steps=20,
        seed=2**63 - 1, sample=Sample("saltelli", 8, None, (), ranges, second_order=True),
        indicators={"gini": "gini_now"}, series=("gini",), limits=Limits(3.0), watch="gini", title="Wealth",
        about="who has it",
    )  # fmt: skip


def test_a_file_gives_the_ids_and_tables_of_the_same_call_from_python(here: Path) -> None:
    file = write("cheap.toml", FILE)
    code, out, _ = madang("batch", file, "-o", "command", "-w", 0)
    assert code == 0
    assert "6 of 6 runs" in out
    batch(file, "file", workers=0)
    batch(
        model=Cheap, parameters={"x": [0.0, 1.0], "steps": 4}, replicates=3, max_steps=4, seed=5, out="python",
        workers=0,
    )  # fmt: skip
    for folder in ("command", "file"):
        assert_same(Path(folder), Path("python"))
        assert Results(folder).runs.drop(TIMING).equals(Results("python").runs.drop(TIMING))
    assert Results("command").manifest["columns"] == Results("python").manifest["columns"]


def test_drawn_parameters_and_correlations_come_from_the_file(here: Path) -> None:
    text = FILE.replace("x = [0.0, 1.0]\nsteps = 4", 'trouble = ""') + (
        '[sample]\nmethod = "lhs"\nn = 8\n[sample.ranges]\nx = [0, 1]\nsteps = [2, 9]\n'
        '[[sample.correlations]]\nbetween = ["x", "steps"]\nrank = 0.9\n'
    )
    madang("batch", write("drawn.toml", text), "-o", "out", "-w", 0)
    ranges = {"x": Range(0.0, 1.0), "steps": Range(2.0, 9.0)}
    batch(
        model=Cheap, parameters={"trouble": ""}, replicates=3, max_steps=4, seed=5, out="python", workers=0,
        sample=Sample("lhs", 8, ranges=ranges, correlations=(Correlation("x", "steps", 0.9),)),
    )  # fmt: skip
    assert_same(Path("out"), Path("python"))
    code, out, _ = madang("batch", "drawn.toml", "--dry-run")
    assert code == 0
    assert "24 runs: 1 combination x 8 samples x 3 replicates\ndrawn: steps, x\n" in out


def test_the_summary_has_a_line_for_each_combination_of_parameters(here: Path) -> None:
    file = write("cheap.toml", FILE)
    _, out, _ = madang("batch", file, "-o", "out", "-w", 0)
    head, _, *rows = out.splitlines()[1:]
    assert head.split() == ["model", "parameters", "level", "low", "high", "runs"]
    assert [row.split()[:2] for row in rows] == [["Cheap", "x=0.0"], ["Cheap", "x=1.0"]]
    assert [row.split()[-1] for row in rows] == ["3", "3"]
    cells = json.loads(madang("batch", file, "-o", "out", "-w", 0, "--json")[1])["estimates"]
    assert [(cell["model"], cell["parameters"], cell["n"]) for cell in cells] == [
        ("Cheap", "x=0.0", 3), ("Cheap", "x=1.0", 3),
    ]  # fmt: skip
    write("one.toml", FILE.replace("[0.0, 1.0]", "0.0"))
    _, out, _ = madang("batch", "one.toml", "-o", "one", "-w", 0)
    assert out.splitlines()[1].split() == ["model", "level", "low", "high", "runs"]


def test_a_finished_folder_has_nothing_to_do_and_more_replicates_extend_it(here: Path) -> None:
    file = write("cheap.toml", FILE)
    madang("batch", file, "-o", "out", "-w", 0)
    code, out, _ = madang("batch", file, "-o", "out", "-w", 0)
    assert code == 0
    assert "nothing to do: all 6 runs of cheap.toml are in out" in out
    write("cheap.toml", FILE.replace("replicates = 3", "replicates = 5"))
    found = json.loads(madang("batch", file, "-o", "out", "-w", 0, "--json")[1])
    assert (found["done"], found["ran_now"]) == (10, 4)


def test_a_precision_is_reached_in_every_combination(here: Path) -> None:
    write("cheap.toml", FILE.replace("replicates = 3", "replicates = 200"))
    code, out, _ = madang("batch", "cheap.toml", "-o", "out", "-w", 0, "--until", "m.level ci95 < 0.6")
    assert code == 0
    assert "reached level ci95 < 0.6 after" in out
    counts = Results("out").runs.group_by("x.x").len()["len"].to_list()
    assert len(set(counts)) == 1
    assert 16 < counts[0] < 200


def test_a_dry_run_says_how_many_how_long_how_large_and_writes_nothing(here: Path) -> None:
    file = write("cheap.toml", FILE)
    code, out, _ = madang("batch", file, "-o", "out", "--dry-run", "-w", 1)
    assert code == 0
    assert out.startswith("6 runs: 2 combinations x 1 sample x 3 replicates\nabout ")
    assert " with 1 worker, at " in out
    assert out.endswith("kB in out\n")
    assert not Path("out").exists()


def test_a_run_that_fails_is_seen_again_with_its_traceback(here: Path) -> None:
    file = write("cheap.toml", FILE + 'trouble = "1=raise"\n')
    code, out, _ = madang("batch", file, "-o", "out", "-w", 0)
    assert code == 1
    assert "6 of 6 runs, 3 of them failed" in out
    runs = Results("out").runs
    failed = runs.filter(runs["status"] == "failed").row(0, named=True)
    assert failed["replay"] == f"madang batch cheap.toml --only {failed['run_id']}"
    code, out, err = madang(*failed["replay"].split()[1:])
    assert (code, out) == (1, "")
    assert "the run failed: RuntimeError: told to fail; the traceback is in " in err
    text = Path(err.rsplit(" ", 1)[1].strip()).read_text(encoding="utf-8")
    assert "models.py" in text
    assert "_misbehave" in text
    assert madang("batch", file, "-o", "out", "-w", 0, "--retry-failed")[0] == 1


def test_one_run_by_itself_is_what_the_batch_found(here: Path) -> None:
    file = write("cheap.toml", FILE)
    madang("batch", file, "-o", "out", "-w", 0)
    row = Results("out").runs.row(3, named=True)
    code, out, _ = madang("batch", file, "--only", row["run_id"][:9], "--json")
    assert code == 0
    assert json.loads(out)["indicators"] == {"level": row["m.level"], "at": row["m.at"]}
    assert madang("batch", file, "--only", row["run_id"])[1].split()[:4] == ["indicator", "at", "the", "end"]
    assert replay(file, row["run_id"]).level == row["m.level"]
    assert (
        "--only: found 'zzz': no run of this batch has that id" in madang("batch", file, "--only", "zzz")[2]
    )


@pytest.mark.parametrize(
    ("keep", "finals", "series"),
    [
        ("", ["m.level", "m.at"], ["level", "at"]),
        ('indicators = ["at"]\n', ["m.at"], ["level", "at"]),
        ('series = ["at"]\n', ["m.level", "m.at"], ["at"]),
        ('indicators = ["level"]\nseries = false\n', ["m.level"], None),
        ("series = []\n", ["m.level", "m.at"], None),
        ('indicators = { height = "level", x = "x" }\nseries = ["x"]\n', ["m.height", "m.x"], ["x"]),
    ],
)
def test_what_is_kept_is_asked_for_by_name(here: Path, keep: str, finals: list[str], series: Any) -> None:
    file = write("cheap.toml", FILE + "[keep]\n" + keep)
    assert madang("batch", file, "-o", "out", "-w", 0)[0] == 0
    results = Results("out")
    assert [name for name in results.runs.columns if name.startswith("m.")] == finals
    assert Path("out/series").exists() == (series is not None)
    if series is not None:
        assert results.series.columns[2:] == series


def test_a_model_in_a_file_is_found_by_workers_that_start_from_nothing(here: Path) -> None:
    write("study/models/walk_of_workers.py", WALK)
    file = write("study/walk.toml", FILE.replace(CHEAP, "models/walk_of_workers.py:Walk"))
    with Pool(2) as pool:
        pool._may_fork = False
        batch(file, "out", executor=pool)
    madang("batch", file, "-o", "calm", "-w", 0)
    assert_same(Path("out"), Path("calm"))
    assert Results("out").runs["status"].to_list() == ["done"] * 6
    assert Results("out").manifest["asked"]["model"] == "walk_of_workers:Walk"


def test_a_change_of_a_neighbour_that_is_imported_makes_another_model(here: Path) -> None:
    write("steps_of_walk.py", "LENGTH = 1\n")
    write("paths_of_walk/__init__.py", "")
    write("paths_of_walk/near.py", "from tests.runs.batches.models import Cheap as Walk\n")
    write("walk_of_neighbours.py", WALK + "import steps_of_walk, paths_of_walk.near\n")
    model, _ = load_class("walk_of_neighbours.py:Walk", here)
    hashes = [source_hash.__wrapped__(model)]
    for name in ("unrelated.py", "steps_of_walk.py", "paths_of_walk/near.py", "walk_of_neighbours.py"):
        write(
            name, f"# changed\n{WALK if name.startswith('walk') else ''}import steps_of_walk, paths_of_walk\n"
        )
        hashes.append(source_hash.__wrapped__(model))
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 4


@pytest.mark.parametrize("workers", [0, 1])
def test_a_neighbour_of_the_same_name_as_another_batchs_is_never_taken_for_it(
    here: Path, workers: int
) -> None:
    for folder, length in (("one", 1), ("two", 100)):
        write(f"{folder}/length_of_{workers}.py", f"LENGTH = {length}\n")
        write(f"{folder}/walk_{folder}_{workers}.py", f"{WALK}import length_of_{workers}\n")
        write(f"{folder}/walk.toml", FILE.replace(CHEAP, f"walk_{folder}_{workers}.py:Walk"))
    batch("one/walk.toml", "out", workers=workers)
    with pytest.raises(BadInput, match=f"imports 'length_of_{workers}', which is .*one.*and not .*two"):
        batch("two/walk.toml", "out2", workers=workers)
    assert not Path("out2").exists()


def test_parameters_that_are_no_plain_numbers_make_runs_of_their_own(here: Path) -> None:
    file = write("cheap.toml", FILE.replace("x = [0.0, 1.0]", "x = [inf, -inf, nan, 1.0]"))
    code, out, err = madang("batch", file, "-o", "out", "-w", 0)
    assert (code, err.count("failed")) == (0, 0), out + err
    assert Results("out").runs["run_id"].n_unique() == 12


def test_names_with_brackets_are_said_as_they_are(here: Path) -> None:
    text = FILE + 'trouble = ""\n[keep]\nindicators = { "level [won]" = "level", "b [/cap]" = "at" }\n'
    file = write("cheap.toml", text.replace("seed = 5", 'seed = 5\nwatch = "b [/cap]"'))
    code, out, _ = madang("batch", file, "-o", "out", "-w", 0)
    assert code == 0
    assert "b [/cap]" in out
    code, out, _ = madang("batch", file, "--only", Results("out").runs["run_id"][0])
    assert code == 0
    assert "level [won]" in out


def test_values_that_read_alike_are_combinations_of_their_own(here: Path) -> None:
    write(
        "walk_of_kinds.py",
        WALK.replace(
            "    pass", "    def __init__(self, x=0, rng=None):\n        super().__init__(float(x), rng=rng)"
        ),
    )
    write("walk.toml", 'model = "walk_of_kinds.py:Walk"\nreplicates = 2\n[parameters]\nx = ["1", 1]\n')
    code, out, err = madang("batch", "walk.toml", "-o", "out", "-w", 0)
    assert code == 0, err
    assert "x='1'" in out


def test_a_file_of_a_package_imports_its_neighbours(here: Path) -> None:
    write("walkers/__init__.py", "")
    write("walkers/agents.py", WALK)
    write("walkers/model.py", "from .agents import Walk as Base\nclass Walk(Base):\n    pass\n")
    file = write("walk.toml", FILE.replace(CHEAP, "walkers/model.py:Walk"))
    assert madang("batch", file, "-o", "out", "-w", 0)[0] == 0
    assert Results("out").manifest["asked"]["model"] == "walkers.model:Walk"


def test_a_batch_file_of_a_model_is_validated_like_the_others(here: Path) -> None:
    file = write("cheap.toml", FILE)
    assert madang("validate", file) == (0, "cheap.toml: batch, no complaints\n", "")
    write("cheap.toml", FILE.replace("steps = 4\n", "step = 4\n").replace("max_step =", "max_steps ="))
    code, _, err = madang("validate", file)
    assert code == 2
    assert "cheap.toml:7: parameters.step: found 'step', which is no parameter of Cheap; did you mean" in err


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('model = "tests.runs.batches.models:Cheep"', "no class in tests.runs.batches.models; did you mean 'Cheap'?"),
        ('model = "tests.runs.batches.modles:Cheap"', "modles'; did you mean 'tests.runs.batches.models'?"),
        ('model = "mesaa:Model"', "found no module 'mesaa'; did you mean 'mesa'?"),
        ('model = "walker:Walk"', "found no module 'walker'; a file beside this one is written \"walker.py:Walk\""),
        ('model = "mesa.examples.VirusOnNetwork"', 'or "file.py:Class"; did you mean "mesa.examples:VirusOnNetwork"?'),
        ('model = "walkers.py:Walk"', "found no file walkers.py; did you mean 'walker.py'?"),
        ('model = "mesa:Agent"', "expected a class that is a mesa.Model"),
        ('model = "tests.runs.batches.models:Luckless"', "takes neither rng nor scenario"),
        ('model = "policies.py:Walk"', "whose name 'policies' is that of another module"),
        ("model = 3", "found 3, expected text in quotes"),
    ],
)  # fmt: skip
def test_a_class_that_cannot_be_had_is_one_line_with_the_nearest_name(
    here: Path, line: str, says: str
) -> None:
    write("walker.py", WALK)
    write("policies.py", WALK)
    (found,) = complaints(f"replicates = 2\n{line}\n")
    assert found.startswith("wrong.toml:2: model: ")
    assert says in found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import mesa\n\n1 / 0\n", "cannot be imported: ZeroDivisionError: division by zero (broken.py:3)"),
        ("import mesa\ndef f(:\n", "cannot be imported: SyntaxError: invalid syntax (broken.py:2)"),
        ("import sys\nsys.exit('bye')\n", "cannot be imported: SystemExit: bye (broken.py:2)"),
        ("import not_there\n", "ModuleNotFoundError: No module named 'not_there' (broken.py:1)"),
        ("import json\njson.loads('')\n", "Expecting value: line 1 column 1 (char 0) (broken.py:2)"),
        ("from agents import Walker\n", "madang's own names: give the other file another, or make its folder a package"),
        (WALK + RAISES, "Walk() cannot be made: ValueError: no (broken.py:5)"),
        (WALK + "    def __init__(self, n, rng=None):\n        pass\n", "missing 1 required positional argument: 'n'"),
    ],
)  # fmt: skip
def test_a_module_that_raises_is_one_line_that_says_where(here: Path, text: str, says: str) -> None:
    write("broken.py", text)
    (found,) = complaints('model = "broken.py:Walk"\n')
    assert found.startswith("wrong.toml:1: model: ")
    assert says in found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('packages = ["a"]\n', "packages: goes with a batch of a world, and this one names a `model`"),
        ("[fork]\n", "fork: goes with a batch of a world"),
        ("replicate = 3\n", "which is no key of a batch of a model; did you mean 'replicates'?"),
        ("max_steps = 0\n", "max_steps: found 0"),
        ('watch = "lvl"\n', "watch: found 'lvl', which is no indicator that is kept; did you mean 'level'?"),
        ("[parameters]\nstep = 3\n", "parameters.step: found 'step', which is no parameter of Cheap; did you mean 'steps'?"),
        ("[parameters]\nrng = 3\n", "parameters.rng: found 'rng', which every run is given by its `seed`"),
        ("[parameters]\nx = []\n", "parameters.x: found an empty list"),
        ("[parameters.x]\na = 1\n", "parameters.x: found a table, expected a value or a list of values"),
        ("[keep]\nindicators = ['levl']\n", "'levl', which is no model reporter of this model; did you mean 'level'?"),
        ("[keep]\nindicators = { a = 'levl' }\n", "a: found 'levl', which is no attribute of Cheap; did you mean 'level'?"),
        ("[keep]\nseries = ['att']\n", "keep.series[1]: found 'att'"),
        ("[keep]\nseries = 3\n", "keep.series: found 3"),
        ("[keep]\nsites = true\n", "keep.sites: goes with a batch of a world"),
        ("[sample]\nn = 4\nlevers = ['x']\nranges = { x = [0, 1] }\n", "levers: goes with a batch of a world; the param"),
        ("[sample]\nn = 4\n", "sample.ranges: found nothing to draw"),
        ("[sample]\nn = 4\nranges = { xx = [0, 1] }\n", "sample.ranges.xx: found 'xx', which is no parameter of Cheap"),
        ("[sample]\nn = 4\nranges = { x = [1, 0] }\n", "sample.ranges.x: found 1 to 0"),
        ("parameters = { x = 1 }\nsample = { n = 4, ranges = { x = [0, 1] } }\n", "sample.ranges.x: 'x' is given and drawn"),
        ("[sample]\nn = 4\nranges = { x = [0, 1] }\ncorrelations = [{ between = ['x', 'y'], rank = 0.5 }]\n",
         "sample.correlations[1].between[2]: found 'y', which is no parameter that is drawn"),
        ("replicates = 50_000_000\nparameters = { x = [1, 2] }\n", "asks for 100,000,000 runs in all"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_on_its_line(here: Path, text: str, says: str) -> None:
    found = [line for line in complaints(f'model = "{CHEAP}"\n' + text) if says in line]
    assert len(found) == 1
    assert found[0].startswith("wrong.toml:")
    assert "wrong.toml:1:" not in found[0]


def test_keys_of_a_model_without_one_say_what_is_missing(here: Path) -> None:
    found = complaints("max_steps = 3\nmodle = 'a:B'\n")
    assert found == [
        'wrong.toml:1: max_steps: goes with a batch of a Mesa model, which has a key model = "package.module:Class"',
        "wrong.toml:2: modle: found 'modle', which is no key of a batch; did you mean 'model'?",
    ]


def test_the_command_imports_nothing_that_such_a_batch_does_not_need(here: Path) -> None:
    write("cheap.toml", FILE)
    script = (
        "import sys; sys.argv = ['madang', 'batch', 'cheap.toml', '-o', 'out', '-w', '2']\n"
        "import madang\n"
        "try:\n    madang.main()\n"
        "finally:\n    print('|', *sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert "6 of 6 runs" in ended.stdout
    loaded = set(ended.stdout.rpartition("|")[2].split())
    assert "runs.batches.mesas" in loaded
    assert not loaded & {
        "runs.worlds",
        "runs.scenario",
        "runs.batches.worlds",
        "abm.model",
        "agents",
        "numba",
        "polars",
    }


def test_a_model_that_ends_the_process_is_one_line(here: Path) -> None:
    write(
        "walk_of_exits.py",
        WALK.replace("    pass", "    def __init__(self, rng=None):\n        raise SystemExit(3)"),
    )
    write("walk.toml", 'model = "walk_of_exits.py:Walk"\n')
    code, _, err = madang("batch", "walk.toml", "-o", "out")
    assert code == 2
    assert "walk.toml:1: model: Walk() cannot be made: SystemExit: 3" in err
