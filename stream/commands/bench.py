"""Benchmarks: they live in the checkout, beside their data and peers, and are no part of the installed wheel."""

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated, Literal

import typer

from stream.commands.run import Json
from stream.errors import StreamError

bench = typer.Typer(help="Benchmarks; run them from a checkout.", no_args_is_help=True)

Manifests = Annotated[list[Path], typer.Option("--manifest", help="CSV with a column path; may be repeated.")]
Split = Annotated[str | None, typer.Option(help="Only the rows whose column split says this.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Only so many rows of each manifest.")]
Times = Annotated[int, typer.Option(min=1, help="Hear each file so often, begun a little later each time.")]
Text = Annotated[str, typer.Option(help="What reads words: open, research, phrases, or a directory with weights.")]
Peers = Annotated[bool, typer.Option(help="Beside other models, in the same run.")]
Out = Annotated[Path | None, typer.Option(help="Write the result as JSON here, too.")]


def _module(name: str) -> ModuleType:
    root = Path(__file__).resolve().parents[2]
    if not (root / "benchmarks" / f"{name}.py").exists():
        root = Path.cwd()
    if not (root / "benchmarks" / f"{name}.py").exists():
        raise StreamError(f"expected a checkout with benchmarks/{name}.py, got {root}; run this from the source tree")
    sys.path.insert(0, str(root))
    return importlib.import_module(f"benchmarks.{name}")


@bench.command()
def asr(
    manifest: Manifests,
    split: Split = None,
    limit: Limit = None,
    times: Times = 1,
    out: Out = None,
    json: Json = False,
) -> None:
    """Words: WER, CER and RTF of each set, beside plain faster-whisper on the same files and weights."""
    _module("asr").run(manifest, split=split, limit=limit, times=times, out=out, json=json)


@bench.command()
def vocabulary(
    manifest: Manifests,
    split: Split = None,
    limit: Limit = None,
    unsaid: Annotated[
        list[int] | None, typer.Option(min=0, help="Names that nobody says; repeatable, else 100 and 500.")
    ] = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """Names: how many a vocabulary wins back and what it breaks, in several ways."""
    module = _module("vocabulary")
    module.run(manifest, split=split, limit=limit, unsaid=unsaid or module.UNSAID, out=out, json=json)


@bench.command()
def emotion(
    manifest: Manifests,
    split: Split = None,
    limit: Limit = None,
    voice: Annotated[str, typer.Option(help="open, research, unsupervised, or a directory with weights.")] = "open",
    codec: Annotated[
        Literal["pcmu", "pcma", "none"], typer.Option(help="G.711 at 8 kHz, through which files go; none as they are.")
    ] = "pcmu",
    with_text: Annotated[bool, typer.Option(help="Use the column transcript as the words that were said.")] = False,
    text: Text = "open",
    train_manifest: Annotated[
        list[Path] | None, typer.Option(help="What the peer is trained on besides the set's own; may be repeated.")
    ] = None,
    peers: Peers = True,
    out: Out = None,
    json: Json = False,
) -> None:
    """Emotion: UAR over angry, happy, neutral and sad, calibration, CCC of arousal and valence; beside an SVM."""
    _module("emotion").run(
        manifest,
        split=split,
        limit=limit,
        voice=voice,
        codec=codec,
        with_text=with_text,
        text=text,
        train=train_manifest or [],
        peers=peers,
        out=out,
        json=json,
    )


@bench.command()
def sentiment(
    manifest: Annotated[list[Path], typer.Option("--manifest", help="CSV or CSV.GZ of texts; may be repeated.")],
    split: Split = None,
    limit: Limit = None,
    text: Text = "open",
    peers: Peers = True,
    out: Out = None,
    json: Json = False,
) -> None:
    """Sentiment of texts: accuracy, calibration and time, beside other models; with and without punctuation."""
    _module("sentiment").run(manifest, split=split, limit=limit, text=text, peers=peers, out=out, json=json)


@bench.command()
def intent(
    manifest: Annotated[
        list[Path],
        typer.Option(help="CSV with columns text, language, intents, or the directory of a public set; repeatable."),
    ],
    weights: Annotated[Path | None, typer.Option(help="Other weights than those that come with the program.")] = None,
    limit: Limit = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """Intents: F1 of each, calibration and coverage, on clean text and as heard, beside phrases alone."""
    _module("intent").run(manifest, weights=weights, limit=limit, out=out, json=json)


@bench.command()
def rules(
    count: Annotated[list[int] | None, typer.Option("--rules", min=1, help="Repeatable; 50, 100, 500, 2000.")] = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """Rules: ms of one core for an utterance against their number, beside trying each in turn."""
    module = _module("rules")
    module.run(sizes=count or module.SIZES, out=out, json=json)


@bench.command()
def desk(
    calls: Annotated[int, typer.Option(min=1)] = 50,
    rules: Annotated[int, typer.Option(min=1, help="Of the playbook.")] = 500,
    listeners: Annotated[int, typer.Option(min=1, help="Spread over the calls.")] = 50,
    asleep: Annotated[int, typer.Option(min=0, help="Listeners that never read.")] = 0,
    seconds: Annotated[float, typer.Option(min=5)] = 60,
    out: Out = None,
    json: Json = False,
) -> None:
    """Cards: how late they are on the overlay, for many calls, rules and listeners."""
    _module("desk").run(
        calls=calls, rules_=rules, listeners=listeners, asleep=asleep, seconds=seconds, out=out, json=json
    )


@bench.command()
def freshness(
    calls: Annotated[int, typer.Option(min=1, help="That run at once, each of a customer.")] = 20,
    events: Annotated[int, typer.Option(min=10, help="Told of these customers, in turn.")] = 300,
    every_ms: Annotated[float, typer.Option(min=1, help="Between two events.")] = 200.0,
    out: Out = None,
    json: Json = False,
) -> None:
    """Freshness: from what is told of a customer to the live channel of their call; and the time of a new risk."""
    _module("freshness").run(calls=calls, events=events, every_ms=every_ms, out=out, json=json)


@bench.command()
def pages(
    runs: Annotated[int, typer.Option(min=1)] = 10,
    minutes: Annotated[int, typer.Option(min=1, help="Of the call that is replayed.")] = 60,
    out: Out = None,
    json: Json = False,
) -> None:
    """Pages: first paint and first card of the overlay, replay of a long call, in a real browser."""
    _module("pages").run(runs=runs, minutes=minutes, out=out, json=json)


@bench.command()
def knowledge(
    manifest: Annotated[
        list[Path], typer.Option(help="Directory of a public set of question pairs or intents; repeatable.")
    ],
    limit: Annotated[int | None, typer.Option(min=1, help="Pairs or questions of each set; else 3000.")] = None,
    size: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Articles to time a search over; repeatable, else 1000, 10000, 50000."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A few questions and one small base: does it run.")] = False,
    out: Out = None,
    json: Json = False,
) -> None:
    """Search: what is found, beside words and meaning alone, what is not known, error codes, time and memory."""
    _module("knowledge").run(manifest, limit=limit, sizes=size, quick=quick, out=out, json=json)


@bench.command()
def advice(
    manifest: Annotated[
        list[Path],
        typer.Option(help="CSV with columns text, language, intents, or the directory of a public set; repeatable."),
    ],
    limit: Limit = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """Rules of the default playbook: precision and recall of each, on calls and on texts, beside keywords."""
    _module("advice").run(manifest, limit=limit, out=out, json=json)


@bench.command()
def likeness(
    manifest: Annotated[
        list[Path],
        typer.Option(help="CSV with columns text, language, intents, or the directory of a public set; repeatable."),
    ],
    talk: Annotated[
        list[Path] | None, typer.Option(help="Dialogues about other things, a gzipped one a line; repeatable.")
    ] = None,
    limit: Limit = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """Rules that look for sentences by their meaning: precision and recall, beside their phrases alone."""
    _module("likeness").run(manifest, talk or [], limit=limit, out=out, json=json)


@bench.command()
def acknowledged(out: Out = None, json: Json = False) -> None:
    """Agents' turns: is it told right which of them take up what the customer feels?"""
    _module("acknowledged").run(out=out, json=json)


@bench.command()
def steps(out: Out = None, json: Json = False) -> None:
    """Agents' turns: are the steps of the default flow recognised, and only then?"""
    _module("steps").run(out=out, json=json)


@bench.command()
def churn(
    data: Annotated[Path, typer.Option(help="A directory with tables/ of customers who left or stayed.")],
    out: Out = None,
    json: Json = False,
) -> None:
    """Churn: AUC, Brier score, log loss and calibration, beside logistic regression and boosted trees."""
    _module("churn").run(data, out=out, json=json)


@bench.command()
def live(
    calls: Annotated[int, typer.Option(min=1, help="Calls at once.")] = 2,
    seconds: Annotated[float, typer.Option(min=5, help="Length of each call.")] = 60.0,
    scripted: Annotated[bool, typer.Option(help="Without models: the cost of the path alone.")] = False,
    broker: Annotated[str | None, typer.Option(help="host:port,... of a Kafka cluster instead of ours.")] = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """Latency: paced calls through the door, broker, Faust and the live channel."""
    _module("live").run(calls=calls, seconds=seconds, scripted=scripted, broker=broker, out=out, json=json)


@bench.command()
def capacity(
    system: Annotated[
        list[str] | None, typer.Option(help="Repeatable; warmline alone without it, others see benchmarks/capacity.py.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=20, help="Length of each call.")] = 60.0,
    bound_ms: Annotated[
        list[float] | None, typer.Option(min=1, help="For the 95th percentile of finals; repeatable, else 3000.")
    ] = None,
    talk_share: Annotated[
        float | None, typer.Option(min=0.05, max=1.0, help="Share of the time in which anybody speaks.")
    ] = None,
    calls: Annotated[
        list[int] | None, typer.Option(min=1, help="Calls at once; repeatable, else 1, 2, 3, 4, 6, 8 and on.")
    ] = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """Capacity: how many paced calls hold a bound on the latency of finals, beside other systems."""
    _module("capacity").run(
        systems=system or ["warmline"],
        seconds=seconds,
        bounds_ms=bound_ms or [3000.0],
        talk_share=talk_share,
        calls=sorted(calls or []),
        out=out,
        json=json,
    )


@bench.command()
def device(
    shape: Annotated[
        str | None, typer.Option(help="Random weights of this shape: base, large-v3-turbo ...; else the real model's.")
    ] = None,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where.")] = "auto",
    compute: Annotated[
        str, typer.Option(help="int8, float16, int8_float16, float32; auto for the device's best.")
    ] = "auto",
    batch: Annotated[list[int] | None, typer.Option(min=1, help="Sizes of batches; repeatable, else 1 to 32.")] = None,
    bound_ms: Annotated[float, typer.Option(min=1, help="For the 95th percentile of finals.")] = 1000.0,
    talk_share: Annotated[float, typer.Option(min=0.05, max=1, help="Share of the time in which a call speaks.")] = 0.7,
    seconds: Annotated[float, typer.Option(min=10, help="Length of each level.")] = 40.0,
    most: Annotated[int, typer.Option(min=0, help="Calls at most; 0 for the stages alone.")] = 1024,
    out: Out = None,
    json: Json = False,
) -> None:
    """Device: encoder, decoder and word times by batch, and the calls that its queue serves; ready for a GPU."""
    _module("device").run(
        shape=shape,
        device=device,
        compute=compute,
        batches=batch or [1, 2, 4, 8, 16, 32],
        bound_ms=bound_ms,
        talk_share=talk_share,
        seconds=seconds,
        most=most,
        out=out,
        json=json,
    )


@bench.command()
def tail(
    calls: Annotated[int, typer.Option(min=2, help="Half hung up, half broken off.")] = 100,
    out: Out = None,
    json: Json = False,
) -> None:
    """Last words: what calls that end in mid-word tell, beside the same audio offline."""
    _module("tail").run(calls=calls, out=out, json=json)


@bench.command()
def silence(
    minutes: Annotated[float, typer.Option(min=0.5, help="Of each generated sound.")] = 6.0,
    music: Annotated[
        Path | None, typer.Option(help="Directory with WAVs of music on hold, to be heard as well.")
    ] = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """Hallucinations: words an hour on silence, tones, noises and music, beside plain faster-whisper."""
    _module("silence").run(minutes=minutes, music=music, out=out, json=json)


@bench.command()
def longrun(
    minutes: Annotated[float, typer.Option(min=3, help="Of calls.")] = 60.0,
    calls: Annotated[int, typer.Option(min=1, help="Lines, each with one call after the other.")] = 2,
    out: Out = None,
    json: Json = False,
) -> None:
    """Memory: does it grow over an hour of calls."""
    _module("longrun").run(minutes=minutes, calls=calls, out=out, json=json)


@bench.command()
def windows(
    manifest: Manifests,
    split: Split = None,
    limit: Limit = None,
    times: Times = 1,
    out: Out = None,
    json: Json = False,
) -> None:
    """Windows: errors and time of each shortest window of the encoder, and which of them keeps the errors of 30 s."""
    _module("windows").run(manifest, split=split, limit=limit, times=times, out=out, json=json)


@bench.command()
def clv(
    data: Annotated[Path, typer.Option(help="Directory with cdnow/ and online_retail/.")] = Path(
        "../shared/data/tables"
    ),
    out: Out = None,
    json: Json = False,
) -> None:
    """What customers buy: forecasts of two public trades against what came, beside plain ones in the same run."""
    _module("clv").run(data, out=out, json=json)


@bench.command()
def customers(
    database: Annotated[Literal["sqlite", "postgres"], typer.Option(help="Of its own.")] = "sqlite",
    size: Annotated[
        list[int] | None, typer.Option(min=100, help="Customers; repeatable, else 10000, 100000 and 1000000.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="A folder for the databases; those that are there are not filled again.")
    ] = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """Customers: rows taken in a second, ms until one is seen at ring, against their number."""
    module = _module("customers")
    module.run(sizes=size or module.SIZES, database=database, keep=keep, out=out, json=json)


@bench.command()
def health(
    customers: Annotated[int, typer.Option(min=1000, help="Before second records of some are added.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Of what is planted.")] = 11,
    out: Out = None,
    json: Json = False,
) -> None:
    """Customer data: which planted errors and duplicates are found, beside exact match; our own generator."""
    _module("health").run(customers=customers, seed=seed, out=out, json=json)


@bench.command()
def routing(
    manifest: Annotated[
        list[Path] | None, typer.Option(help="Sets that `bench intent` takes, to be sent by their words; repeatable.")
    ] = None,
    speech: Annotated[
        list[Path] | None, typer.Option(help="CSV with a column path, whose language is to be found; repeatable.")
    ] = None,
    limit: Limit = None,
    hints: Annotated[int, typer.Option(min=20, help="Hints to be timed, without words and with.")] = 300,
    out: Out = None,
    json: Json = False,
) -> None:
    """Routing: is the right agent named, who waits how long, is work shared fairly, beside plainer ways."""
    _module("routing").run(manifest or [], speech or [], limit=limit, n=hints, out=out, json=json)
