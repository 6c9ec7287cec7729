"""Reading a batch file that names a Mesa model: TOML to a :class:`runs.batches.spec.ModelBatch`.

It is a batch file like the others, with ``model`` and ``parameters`` in place of a world with its scenarios and
packages; :func:`runs.batches.mesaplan.plan_model` checks names against the class.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policies.reading import Problems
from runs.batches.batchfile import KEYS, MODEL_KEYS, SAMPLE_KEYS, Reader, note_keys, read_limits, read_sample
from runs.batches.spec import LARGEST_BATCH, LARGEST_SEED, ModelBatch, Reporter

OF_WORLDS = "goes with a batch of a world, and this one names a `model`; leave one of them out"


def parse_model_batch(data: Mapping[str, Any], problems: Problems) -> ModelBatch:
    """The batch of parsed TOML. What is wrong is left at its default."""
    others = dict.fromkeys(set(KEYS) - set(MODEL_KEYS), OF_WORLDS)
    note_keys(problems, (), data, MODEL_KEYS, "a batch of a model", others)
    read = Reader(problems, data)
    keep = read.inside("keep")
    others = dict.fromkeys(("decisions", "sites"), OF_WORLDS)
    note_keys(problems, keep.path, keep.data, ("indicators", "series"), "what is kept", others)
    return ModelBatch(
        model=read.text("model") or "",
        parameters=read.table("parameters"),
        replicates=read.whole("replicates", "replicate", 1, LARGEST_BATCH) or 1,
        max_steps=read.whole("max_steps", "step", 1, LARGEST_SEED) or 1000,
        seed=read.whole("seed", "seed", 0, LARGEST_SEED) or 0,
        sample=_sample(read.inside("sample")) if "sample" in data else None,
        indicators=_indicators(keep),
        series=_series(keep),
        limits=read_limits(read.inside("limits")),
        watch=read.text("watch") or "",
        title=read.text("title") or "",
        about=read.text("about") or "",
    )


def _sample(read: Reader) -> Any:
    drawn = "goes with a batch of a world; the parameters that are drawn are those of [sample.ranges]"
    known = tuple(key for key in SAMPLE_KEYS if key not in ("uncertainties", "levers"))
    return read_sample(read, known, dict.fromkeys(("uncertainties", "levers"), drawn))


def _indicators(read: Reader) -> Mapping[str, Reporter] | tuple[str, ...] | None:
    """Names of model reporters, or a table of names and attributes of the model."""
    if not isinstance(read.data.get("indicators"), Mapping):
        return read.texts("indicators")
    inside = read.inside("indicators")
    found = {name: inside.text(name) for name in inside.data}
    return {name: attribute for name, attribute in found.items() if attribute is not None} or None


def _series(read: Reader) -> bool | tuple[str, ...]:
    value = read.data.get("series", True)
    if isinstance(value, bool):
        return value
    found = read.texts("series")
    return True if found is None else found
