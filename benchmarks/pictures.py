"""
Draw ``docs/pictures/*.svg`` from ``benchmarks/results/*.json``: ``python -m benchmarks.pictures``.

The same result gives the same bytes with the same matplotlib. A picture carries the
SHA-256 of its result, and its own background, so that it can be read on a light page and on a dark one.
"""

import hashlib
import io
import re
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from benchmarks import asr, capacity, churn, emotion, longrun, sentiment
from benchmarks import curve as moods_of
from benchmarks.figures import Confusion, Covered

RESULTS: Final = Path(__file__).parent / "results"
PICTURES: Final = Path(__file__).resolve().parents[1] / "docs" / "pictures"
_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4d4d4d", "#8c6d31")
"""Of Okabe and Ito, which people tell apart however they see colours, and two more."""
_ABREAST: Final = 4
"""Panels in a row."""
_STYLE: Final[Any] = {
    "svg.hashsalt": "warmline",
    # Letters stay letters: smaller, and they can be searched.
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
}


class Kind(NamedTuple):
    """Results of which pictures are drawn."""

    title: str
    size: tuple[float, float]
    """Inches."""
    draw: Callable[[Any, bytes], None]
    """Onto an empty figure, from the content of a result file."""


def _words(figure: Any, content: bytes) -> None:
    """Errors with their intervals, and time, of each set, beside faster-whisper."""
    sets = msgspec.json.decode(content, type=asr.Result).sets
    errors, time = figure.subplots(2, 1, sharex=True)
    ways = [
        ("warmline", [one.ours for one in sets]),
        ("warmline, in a hurry", [one.hurried for one in sets]),
        ("faster-whisper", [one.peer for one in sets]),
    ]
    for side, (name, scores), colour in zip((-0.27, 0.0, 0.27), ways, _COLOURS, strict=False):
        found = [_rate(score, one.language) for score, one in zip(scores, sets, strict=True)]
        places, rates = [place + side for place in range(len(sets))], [rate for rate, _, _ in found]
        off = [[max(0.0, rate - low) for rate, low, _ in found], [max(0.0, high - rate) for rate, _, high in found]]
        errors.bar(places, rates, 0.25, yerr=off, color=colour, label=name, ecolor="#333333", capsize=2)
        time.bar(places, [score.rtf for score in scores], 0.25, color=colour)
    errors.set_ylabel("WER, CER for Chinese, %")
    errors.legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    time.set_ylabel("RTF")
    time.set_xticks(range(len(sets)), [f"{one.name}\n{one.language}, {one.n}" for one in sets], rotation=20, ha="right")


def _rate(score: asr.Score, language: str) -> tuple[float, float, float]:
    """Errors and their interval in per cent: of words, or of characters where any of it is Chinese."""
    chinese = "zh" in language
    low, high = score.cer_interval if chinese else score.wer_interval
    return (score.cer if chinese else score.wer) * 100, low * 100, high * 100


def _capacity(figure: Any, content: bytes) -> None:
    """The median and the 95th percentile of finals against the number of calls, and the bounds."""
    from matplotlib.ticker import FixedLocator, LogLocator, NullLocator, ScalarFormatter

    result = msgspec.json.decode(content, type=capacity.Result)
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    for axes, title in zip(panels, ("median", "95th percentile"), strict=True):
        for curve, colour in zip(result.curves, cycle(_COLOURS)):
            _curve(axes, curve, colour, median=title == "median")
        for held in result.curves[0].held:
            axes.axhline(held.bound_ms, color="#333333", linewidth=0.9, linestyle="--")
        axes.set(title=title, xlabel="calls")
    left = panels[0]
    left.set_xscale("log", base=2)
    left.set_yscale("log")
    calls = sorted({level.calls for curve in result.curves for level in curve.levels})
    for axis, places in ((left.xaxis, FixedLocator(calls)), (left.yaxis, LogLocator(subs=(1, 2, 5)))):
        axis.set_major_formatter(ScalarFormatter())
        axis.set_major_locator(places)
        axis.set_minor_locator(NullLocator())
    left.set_ylabel("end of the turn to its final text, ms")
    figure.legend(*left.get_legend_handles_labels(), ncols=4, loc="outside lower center")


def _curve(axes: Any, curve: capacity.Curve, colour: str, *, median: bool) -> None:
    """One system; where a turn was missed the point is hollow."""
    points = []
    for level in curve.levels:
        judged = level.settled_ms if level.judged_by == "settled" else level.told_ms
        points.append((level.calls, judged.p50 if median else judged.p95, level.missed > 0))
    told = [(calls, ms, missed) for calls, ms, missed in points if ms is not None]
    axes.plot([calls for calls, _, _ in told], [ms for _, ms, _ in told], color=colour, label=curve.system)
    for calls, ms, missed in told:
        axes.plot(calls, ms, "o", color=colour, markersize=4, markerfacecolor="white" if missed else colour)


def _memory(figure: Any, content: bytes) -> None:
    """Resident memory of every process over the run."""
    result = msgspec.json.decode(content, type=longrun.Result)
    axes = figure.subplots()
    minutes = [one.at_s / 60 for one in result.samples]
    names = sorted({name for one in result.samples for name in one.memory_mb})
    for name, colour in zip(names, cycle(_COLOURS)):
        axes.plot(minutes, [one.memory_mb.get(name, float("nan")) for one in result.samples], color=colour, label=name)
    axes.plot(minutes, [sum(one.memory_mb.values()) for one in result.samples], color="#000000", label="all")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("minutes")
    axes.set_ylabel("resident, MB")
    figure.legend(ncols=6, loc="outside lower center")


_MOODS: Final = {
    "angry": "#d55e00",
    "anxious": "#e69f00",
    "disappointed": "#8c6d31",
    "satisfied": "#009e73",
    "neutral": "#bbbbbb",
}


def _mood(figure: Any, content: bytes) -> None:
    """The score and the agitation, smoothed and as heard, over the moods of the script, with turns and alerts."""
    from matplotlib.patches import Patch

    result = msgspec.json.decode(content, type=moods_of.Result)
    score, agitation = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    for axes in (score, agitation):
        for acted in result.script:
            span = (acted.start_ms / 1000, acted.end_ms / 1000)
            axes.axvspan(*span, color=_MOODS[acted.mood], alpha=0.25, linewidth=0)
        for alert in result.alerts_ms:
            name = "alert" if axes is score else None
            axes.axvline(alert / 1000, color="#000000", linewidth=0.9, linestyle="--", label=name)
    heard = [(one.end_ms / 1000, one.valence, one.agitation) for one in result.heard]
    points = [(point.at_ms / 1000, point.score, point.agitation) for point in result.curve]
    for axes, place, scale in ((score, 1, 5.0), (agitation, 2, 1.0)):
        one = [(each[0], scale * value) for each in heard if (value := each[place]) is not None]
        axes.plot([at for at, _ in one], [y for _, y in one], ".", color="#777777", label="one utterance")
        whole = [(each[0], value) for each in points if (value := each[place]) is not None]
        axes.plot([at for at, _ in whole], [y for _, y in whole], "-", color="#0072b2", label="smoothed")
    by_time = {point.at_ms: point.score for point in result.curve}
    for turn in result.turns:
        sign, colour = ("^", "#009e73") if turn.direction == "better" else ("v", "#d55e00")
        at = (turn.at_ms / 1000, by_time.get(turn.at_ms) or 0.0)
        score.plot(*at, sign, color=colour, markersize=9, markeredgecolor="white")
        cause = "cause unknown" if turn.cause == "unknown" else f"after {turn.cause}"
        score.annotate(cause, at, (0, 9), textcoords="offset points", ha="center")
    score.axhline(0, color="#333333", linewidth=0.6)
    score.set(ylim=(-5, 5), ylabel="score")
    agitation.axhline(0.6, color="#333333", linewidth=0.6)
    agitation.set(ylim=(0, 1), xlim=(0, result.duration_ms / 1000), ylabel="agitation", xlabel="seconds")
    moods = dict.fromkeys(acted.mood for acted in result.script)
    patches = [Patch(color=_MOODS[mood], alpha=0.25, label=f"script: {mood}") for mood in moods]
    figure.legend(handles=[*score.get_legend_handles_labels()[0], *patches], ncols=4, loc="outside lower center")


def _emotions(figure: Any, content: bytes) -> None:
    """Confusion of each set with labels, and how accuracy rises with what is left out."""
    result = msgspec.json.decode(content, type=emotion.Result)
    sets = [one for one in result.sets if one.n]
    panels = figure.subplots(1, len(sets) + 1, squeeze=False)[0]
    for axes, one in zip(panels, sets, strict=False):
        _confusion(axes, one.confusion, f"{one.name}\nUAR {one.uar:.2f}, {one.n} files")
    _covered(panels[-1], [(one.name, one.coverage_accuracy) for one in sets])
    _covered(panels[-1], [("", one.speaker_known.coverage_accuracy) for one in sets], "--")
    panels[-1].plot([], [], "--", color="#333333", label="speaker known")
    figure.legend(*panels[-1].get_legend_handles_labels(), ncols=4, loc="outside lower center")


def _sentiments(figure: Any, content: bytes) -> None:
    """The same of ours, texts as they were written."""
    result = msgspec.json.decode(content, type=sentiment.Result)
    sets = [
        (one, scored)
        for one in result.sets
        for scored in one.scored
        if scored.reader == "ours" and scored.written == sentiment.AS_WRITTEN and scored.confusion
    ]
    rows = -(-(len(sets) + 1) // _ABREAST)
    panels = list(figure.subplots(rows, _ABREAST, squeeze=False).flat)
    for axes, (one, scored) in zip(panels, sets, strict=False):
        _confusion(axes, scored.confusion, f"{one.name}\n{scored.accuracy:.2f} of {scored.n} right")
    curves, *rest = panels[len(sets) :]
    for axes in rest:
        axes.set_axis_off()
    _covered(curves, [(one.name, scored.coverage_accuracy) for one, scored in sets])
    figure.legend(*curves.get_legend_handles_labels(), ncols=4, loc="outside lower center")


def _confusion(axes: Any, counts: Confusion, title: str) -> None:
    """Shares of each truth, with the counts; what never is true or predicted is left out."""
    true = [name for name in counts if sum(counts[name].values())]
    said = [name for name in counts if name in true or any(counts[one][name] for one in true)]
    shares = [[counts[one][other] / sum(counts[one].values()) for other in said] for one in true]
    across, down = ([n - 0.5 for n in range(len(names) + 1)] for names in (said, true))
    axes.pcolormesh(across, down, shares, cmap="Blues", vmin=0, vmax=1)
    axes.invert_yaxis()
    for y, one in enumerate(true):
        for x, other in enumerate(said):
            colour = "white" if shares[y][x] > 0.5 else "black"
            axes.text(x, y, counts[one][other], ha="center", va="center", color=colour)
    axes.set_xticks(range(len(said)), said, rotation=30, ha="right")
    axes.set_yticks(range(len(true)), true)
    axes.set(title=title, xlabel="predicted", ylabel="truth")
    axes.grid(visible=False)


def _covered(axes: Any, curves: Sequence[tuple[str, Sequence[Covered]]], line: str = "-") -> None:
    """Accuracy of the most confident, against their share."""
    for (name, points), colour in zip(curves, cycle(_COLOURS)):
        at = [100 * one.coverage for one in points]
        axes.plot(
            at, [one.accuracy for one in points], line, marker="o", markersize=3, color=colour, label=name or None
        )
    axes.set(title="the most confident", xlabel="kept, %", ylabel="accuracy", xlim=(103, 47), ylim=(0, 1))


def _leavers(figure: Any, content: bytes) -> None:
    """Share who left against what was said, in tenths of the customers of each trade."""
    trades = msgspec.json.decode(content, type=churn.Result).trades
    for axes, trade in zip(figure.subplots(1, len(trades)), trades, strict=True):
        for one, colour in zip(trade.models, cycle(_COLOURS)):
            bins = one.curve
            axes.plot(
                [each.said for each in bins], [each.left for each in bins], marker="o", markersize=3, color=colour
            )
            axes.lines[-1].set_label(one.by)
            if one.by == churn.OURS:
                for each in bins:
                    axes.plot([each.said, each.said], each.interval, color=colour, linewidth=0.8)
        axes.plot([0, 1], [0, 1], "--", color="#999999", linewidth=0.8)
        title = f"{trade.name}, {trade.n} customers"
        axes.set(title=title, xlabel="score", ylabel="share who left", xlim=(0, 1), ylim=(0, 1))
    figure.axes[0].legend()


KINDS: Final[dict[str, Kind]] = {
    "asr": Kind("Errors and time of recognition, by set", (8, 5.5), _words),
    "capacity": Kind("Latency of finals against the number of calls", (8, 4.2), _capacity),
    "churn": Kind("Who left, against the score", (11, 3.8), _leavers),
    "curve": Kind("The customer's mood over a sample call", (8, 4.6), _mood),
    "emotion": Kind("Confusion of emotions, and accuracy of the most confident", (11, 3.8), _emotions),
    "sentiment": Kind("Confusion of sentiments, and accuracy of the most confident", (9, 6.5), _sentiments),
    "longrun": Kind("Memory over the run, by process", (8, 3.6), _memory),
}
"""By the beginning of the file's name."""


def kind_of(result: Path) -> Kind | None:
    """What is drawn of a result file, if anything."""
    return next((kind for name, kind in KINDS.items() if result.name.startswith(name)), None)


def picture_of(result: Path) -> Path:
    """Where its picture stands."""
    return PICTURES / f"{result.stem}.svg"


def digest(result: Path) -> str:
    """SHA-256 of a result file."""
    return hashlib.sha256(result.read_bytes()).hexdigest()


def digest_in(picture: Path) -> str | None:
    """SHA-256 of the result that a picture was drawn from; None where it says nothing."""
    found = re.search(r"sha256:([0-9a-f]{64})", picture.read_text(encoding="utf-8"))
    return found[1] if found else None


def results() -> Sequence[Path]:
    """The result files of which there is a picture."""
    return [path for path in sorted(RESULTS.glob("*.json")) if kind_of(path) is not None]


def draw(result: Path) -> str:
    """
    The picture of a result file, as SVG.

    Raises:
        ValueError: If nothing is drawn of such results.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    kind = kind_of(result)
    if kind is None:
        raise ValueError(f"expected a result of {', '.join(KINDS)}, got {result.name}")
    out = io.StringIO()
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=kind.size, layout="constrained", facecolor="white")
        kind.draw(figure, result.read_bytes())
        origin = {"Title": kind.title, "Source": result.name, "Identifier": f"sha256:{digest(result)}"}
        figure.savefig(out, format="svg", metadata={**origin, "Date": None, "Creator": None})
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def main() -> None:
    """Draw all, and remove what no result stands behind any more."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    wanted = {picture_of(result): result for result in results()}
    for path in PICTURES.glob("*.svg"):
        if path not in wanted:
            path.unlink()
    for path, result in wanted.items():
        path.write_text(draw(result), encoding="utf-8")
    print(f"{len(wanted)} pictures in {PICTURES}")


if __name__ == "__main__":
    main()
