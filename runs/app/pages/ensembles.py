"""The Ensembles page: open many runs, compare packages, start a small ensemble."""

from __future__ import annotations

import threading
from typing import Any

import solara

from runs.app import server
from runs.app.controls import titled
from runs.app.ensembles import Ensembles, Opened, compared, ensembles_of, fans, folders, open_folder
from runs.app.pages.common import Figure, box, my_session, words
from runs.app.parts import EnsembleForm, Opener, Prose
from runs.app.session import Session
from runs.checking import BadInput
from runs.views.ensembles import Difference, difference_chart, fan_chart
from runs.views.texts import Texts
from runs.views.words import SPOKEN

SCORE = "stakeholder_score."
MOST_GAINS = 16


def first_of(preferred: tuple[str, ...], known: tuple[str, ...], but: str = "") -> str:
    """The first preferred name that is known and is not ``but``; else any."""
    found = [name for name in (*preferred, *known) if name in known and name != but]
    return found[0] if found else ""


@solara.component
def EnsemblesPage() -> None:
    """Open, look, compare, start."""
    session = my_session()
    t = session.t
    options = server.serving.options
    root = options.results
    opened: Opened | None = session.opened.value
    problem, set_problem = solara.use_state("")
    choices, set_choices = solara.use_state(dict[str, str]())
    names = folders(root)

    def go(name: Any) -> None:
        try:
            found = open_folder(root, str(name))
        except BadInput as bad:
            set_problem("; ".join(complaint.message for complaint in bad.complaints))
            return
        set_problem("")
        set_choices({})
        session.opened.value = found

    with box("main", "md-single", [], id="md-content", tabindex="-1"):
        words("h1", t("ensemble.title"))
        picked: dict[str, str] = {}
        selects: list[dict[str, Any]] = []
        loaded = ""
        if opened is not None:
            picked = picks(opened, choices)
            selects = selects_of(opened, picked, session, t)
            loaded = t(
                "ensemble.loaded",
                runs=opened.runs,
                scenarios=len(opened.scenarios),
                packages=len(opened.packages),
                failed=opened.failed,
            )
        Opener(
            texts={key: t(f"ensemble.{key}") for key in ("open", "go")},
            label=t("ensemble.folder", root=root.name),
            none=t("ensemble.none", root=root.name),
            folders=names,
            opened=opened.name if opened else "",
            problem=problem,
            loaded=loaded,
            selects=selects,
            event_open=go,
            event_choose=lambda choice: set_choices({**choices, str(choice["key"]): str(choice["value"])}),
        )
        if opened is not None:
            Charts(session, opened, picked)
        Start(session, ensembles_of(root, options.most_runs), go)
        Prose(heading=t("ensemble.later"), lines=[t("ensemble.later_about")], event_act=lambda *_: None)


def picks(opened: Opened, choices: dict[str, str]) -> dict[str, str]:
    """What is shown of a folder: scenario, figure, and the two packages."""
    first = choices.get("first") or first_of(("as-announced",), opened.packages)
    return {
        "scenario": choices.get("scenario") or first_of(("baseline",), opened.scenarios),
        "indicator": choices.get("indicator") or first_of(SPOKEN, opened.series or tuple(opened.units)),
        "first": first,
        "second": choices.get("second") or first_of((), opened.packages, but=first),
    }


def selects_of(opened: Opened, picked: dict[str, str], session: Session, t: Texts) -> list[dict[str, Any]]:
    """The choices there are."""
    world = session.knobs.world
    titles = {name: package_title(name, session, t) for name in opened.packages}
    figures = sorted((t.indicator(name, world), name) for name in (opened.series or tuple(opened.units)))
    found = [
        ("scenario", t("ensemble.scenario"), [(name, name) for name in opened.scenarios]),
        ("indicator", t("ensemble.indicator"), [(name, label) for label, name in figures]),
    ]
    if len(opened.packages) > 1:
        found += [
            (key, f"{t('ensemble.compare')}: {t(f'ensemble.{key}')}", list(titles.items()))
            for key in ("first", "second")
        ]
    return [
        {
            "key": key,
            "label": label,
            "value": picked[key],
            "options": [{"key": k, "name": n} for k, n in options],
        }
        for key, label, options in found
    ]


def package_title(name: str, session: Session, t: Texts) -> str:
    """The title of a package, or its name where it does not ship."""
    package = session.knobs.packages.get(name)
    return titled(package.title if package else name, "package", name, t)


@solara.component
def Charts(session: Session, opened: Opened, picked: dict[str, str]) -> None:
    """Fans, paired differences, winners and losers."""
    t, world = session.t, session.knobs.world

    def label(package: str) -> str:
        return package_title(package, session, t)

    key = (opened.name, *picked.values(), t.language)
    name = picked["indicator"]

    def fan() -> Any:
        if name not in opened.series:
            return None
        months, found = fans(opened, name, picked["scenario"], label)
        return fan_chart(
            name, t.indicator(name, world), opened.units.get(name) or unit_of(opened, name), months, found, t
        )

    chart = solara.use_memo(lambda: guarded(fan), [key])
    if isinstance(chart, str):
        words("p", chart, "md-card bad")
    elif chart is not None:
        Figure(session, chart, None, height=380, wide=True, level=2)
    else:
        words("p", t("ensemble.no_series", name=t.indicator(name, world)), "md-card")
    if len(opened.packages) < 2 or picked["first"] == picked["second"]:
        words("p", t("ensemble.one_package"), "md-card")
        return
    for kind in ("compare", "gains"):
        Comparison(session, opened, picked, kind).key(kind)


@solara.component
def Comparison(session: Session, opened: Opened, picked: dict[str, str], kind: str) -> None:
    """Paired differences of the key figures (``compare``), or of the stakeholders' scores (``gains``)."""
    t = session.t
    first, second = picked["first"], picked["second"]

    def compute() -> list[Difference]:
        if kind == "compare":
            return compared(
                opened, first, second, picked["scenario"], [n for n in SPOKEN if n in opened.units]
            )
        scores = [name for name in opened.units if name.startswith(SCORE)]
        if not scores:
            return []
        found = [one for one in compared(opened, first, second, picked["scenario"], scores) if one.clear]
        largest = sorted(found, key=lambda one: -abs(relative(one)))[:MOST_GAINS]
        return sorted(largest, key=lambda one: -relative(one))

    found = solara.use_memo(lambda: guarded(compute), [opened.name, *picked.values(), kind])
    if isinstance(found, str):
        words("p", found, "md-card bad")
    elif found:
        titles = [package_title(name, session, t) for name in (first, second)]
        title = f"{t(f'ensemble.{kind}')}: {titles[0]} → {titles[1]}"
        made = difference_chart(found, names_of(found, session, t), title, t)
        Figure(session, made, None, height=34 * len(found) + 80, wide=True, level=2)


def relative(one: Difference) -> float:
    """A difference in parts of the larger value."""
    return one.difference / max(abs(one.before), abs(one.now), 1e-12)


def names_of(found: list[Difference], session: Session, t: Texts) -> dict[str, str]:
    """What the indicators are called; a score, by its stakeholder."""
    world = session.knobs.world
    return {
        one.name: t.name(world, one.name.removeprefix(SCORE))
        if one.name.startswith(SCORE)
        else t.indicator(one.name, world)
        for one in found
    }


def unit_of(opened: Opened, name: str) -> str:
    """The unit of a series."""
    return next((one.unit for one in opened.results.indicators if one.name == name), "")


def guarded(compute: Any) -> Any:
    """What ``compute`` gives, or what is wrong with the folder, as text."""
    try:
        return compute()
    except BadInput as bad:
        return "; ".join(map(str, bad.complaints))
    except OSError as error:
        return f"{type(error).__name__}: {error}"


@solara.component
def Start(session: Session, ensembles: Ensembles, opened: Any) -> None:
    """Start a small ensemble with the state of the page."""
    t, knobs = session.t, session.knobs
    state = session.state.value
    work = session.work.value
    other = first_of(("grid-first", "no-policy"), tuple(knobs.packages), but=state.package)

    def begin(asked: dict[str, Any]) -> None:
        from runs.batches import Batch, Keep, Sample

        try:
            packages = tuple(name for name in map(str, asked["packages"]) if name in knobs.packages)
            replicates, samples = int(asked["replicates"]), int(asked["samples"])
        except (TypeError, ValueError, KeyError):
            return
        runs = len(packages) * replicates * samples
        if not packages or replicates < 1 or samples < 1:
            return
        if runs > ensembles.most_runs:
            session.work.value = {"message": t("ensemble.too_many", runs=runs, most=ensembles.most_runs)}
            return
        spec = Batch(
            world=state.world,
            scenarios=(state.scenario,),
            packages=packages,
            replicates=replicates,
            seed=state.seed,
            settings=state.values,
            sample=Sample("lhs", n=samples) if samples > 1 else None,
            keep=Keep(decisions=False, sites=False),
        )

        def tell(progress: Any) -> None:
            with session.page.kernel():
                now = session.work.value
                session.work.value = {
                    **now,
                    "total": progress.total,
                    "done": progress.done,
                    "failed": progress.failed,
                }

        try:
            job, folder = ensembles.start(spec, f"{state.scenario}-ensemble", tell)
        except BadInput as bad:
            session.work.value = {"message": "; ".join(complaint.message for complaint in bad.complaints)}
            return
        session.work.value = {"job": job, "folder": folder, "total": runs, "done": 0, "failed": 0}

        def finish() -> None:
            message, good = t("ensemble.finished", folder=folder), True
            try:
                progress = job.wait()
                if progress is not None and progress.stopped:
                    message, good = t("ensemble.cancelled", folder=folder), progress.done > 0
            except Exception as error:  # told to the page that started it
                message, good = f"{t('app.failed')} {error}", False
            with session.page.kernel():
                session.work.value = {**session.work.value, "job": None, "message": message}
                if good:
                    opened(folder)

        threading.Thread(target=finish, name="madang-ensemble", daemon=True).start()

    def cancel(*_: Any) -> None:
        if work.get("job") is not None:
            work["job"].cancel()

    running = work.get("job") is not None
    progress = ""
    if "total" in work:
        progress = t("ensemble.progress", done=work["done"], total=work["total"], failed=work["failed"])
    labels = ("start", "packages", "replicates", "samples", "run", "cancel", "count", "too_many")
    EnsembleForm(
        texts={key: t(f"ensemble.{key}") for key in labels},
        about=t("ensemble.start_about", most=ensembles.most_runs),
        packages=[{"name": name, "title": package_title(name, session, t)} for name in knobs.packages],
        start_with=[state.package, *([other] if other else [])],
        most=ensembles.most_runs,
        seconds=max(session.status.peek().seconds, 0.2),
        running=running,
        total=int(work.get("total", 0)),
        done=int(work.get("done", 0)),
        progress=progress,
        message=str(work.get("message", "")),
        event_begin=begin,
        event_cancel=cancel,
    )
