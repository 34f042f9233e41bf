"""Rewrite the tables of ``docs/benchmarks.md`` from ``benchmarks/results/*.json``: ``python -m benchmarks.tables``."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from benchmarks import (
    acknowledged,
    advice,
    asr,
    capacity,
    churn,
    clv,
    curve,
    customers,
    desk,
    device,
    emotion,
    freshness,
    fusion,
    health,
    intent,
    knowledge,
    likeness,
    live,
    longrun,
    pages,
    pictures,
    routing,
    rules,
    sentiment,
    silence,
    steps,
    tail,
    vad,
    vocabulary,
    windows,
)
from benchmarks.environment import Environment, Spread
from benchmarks.figures import spanned
from benchmarks.weights import Weights

RESULTS: Final = Path(__file__).parent / "results"
DOCUMENT: Final = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
BEGIN: Final = "<!-- results: written by python -m benchmarks.tables -->"
END: Final = "<!-- end of results -->"


def _table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> list[str]:
    heads = list(heads)
    lines = [heads, ["---", *("---:" for _ in heads[1:])], *([str(cell) for cell in row] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value * 100:.1f}"


def _number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _where(environment: Environment) -> list[str]:
    """Under a table: what the figures were measured on, and with which command."""
    versions = ", ".join(f"{name} {version}" for name, version in environment.versions.items())
    machine = f"{environment.machine}, {environment.cores} cores, {environment.memory_gb:g} GB"
    return [
        "",
        f"`{environment.command}` at commit {environment.commit}: {machine}; Python {environment.python}, {versions}.",
    ]


def _asr(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=asr.Result)

    def pair(ours: float, peer: float) -> str:
        return f"{_percent(ours)} ({_percent(peer)})"

    def interval(score: asr.Score, name: str) -> str:
        low, high = score.cer_interval if name == "cer" else score.wer_interval
        return f"{_percent(low)} to {_percent(high)}"

    rows = [
        (
            one.name,
            one.language,
            one.n,
            pair(one.ours.wer, one.peer.wer),
            interval(one.ours, "wer"),
            _percent(one.hurried.wer),
            pair(one.ours.cer, one.peer.cer),
            interval(one.ours, "cer"),
            _percent(one.hurried.cer),
            f"{one.rtf:.3f} ({one.peer.rtf:.3f})",
            f"{one.hurried.rtf:.3f}",
        )
        for one in result.sets
    ]
    heads = ("set", "language", "files", "WER %", "95 %", "hurried", "CER %", "95 %", "hurried", "RTF", "hurried")
    lines = [
        f"### Words: {result.model} on {result.device}",
        "",
        "In brackets plain faster-whisper with the same weights, width of search and language; *hurried*: while "
        "others wait, sentences too in windows of 12 s instead of 30 s. For Chinese a word is an ideograph."
        + (f" Each file heard {result.times} times, begun 20 ms later each time." if result.times > 1 else ""),
        "",
    ]
    return [*lines, *_table(heads, rows), *_where(result.environment)]


def _vocabulary(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=vocabulary.Result)

    def figures(way: vocabulary.Way) -> tuple[object, ...]:
        rates = (_percent(way.recall), way.false_insertions, _percent(way.cer), _percent(way.term_cer))
        return (way.name, *rates, _number(way.ms.p50, 0))

    sets = [(one.name, f"{one.terms}, said {one.occurrences} times", one.unsaid) for one in result.sets]
    rows = [(*told, *figures(way)) for told, one in zip(sets, result.sets, strict=True) for way in one.ways]
    heads = ("set", "terms", "not said", "way", "found %", "false", "CER %", "of terms, %", "ms, p50")
    return [
        f"### Names: {result.model} on {result.device}",
        "",
        "*found*: of the terms' occurrences; *false*: terms and other names where nobody said them; *of terms*: share "
        "of their characters (words, in English) that are not heard. The rule for terms: `benchmarks/vocabulary.py`.",
        "",
        *_table(heads, rows),
        *_where(result.environment),
    ]


def _emotion(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=emotion.Result)
    rows = [
        (
            one.name,
            f"{one.n} of {one.speakers}",
            spanned(one.uar, one.uar_interval),
            spanned(one.speaker_known.uar, one.speaker_known.uar_interval),
            *(_number(figure) for figure in (one.accuracy, one.coverage)),
            *(_calibrated(one), _calibrated(one.speaker_known)),
            _both(_most(one), _most(one.speaker_known)),
            spanned(one.arousal_balanced, one.arousal_balanced_interval),
            spanned(one.speaker_known.arousal_balanced, one.speaker_known.arousal_balanced_interval),
            spanned(one.ccc_arousal, one.ccc_arousal_interval),
            f"{one.ms:.1f} ({one.ms_32:.1f})",
        )
        for one in result.sets
    ]
    heads = ("set", "files of speakers", "UAR", "UAR, speaker known", "accuracy", "named", "ECE", "ECE, speaker known")
    sound = "as recorded" if result.codec == "none" else f"G.711 ({result.codec})"
    lines = [
        f"### Emotion: {result.voice.name}, {'voice and words' if result.text else 'voice alone'}",
        "",
        f"Four classes; chance is a UAR of {emotion.CHANCE:.2f}. Sound: {sound}. *named*: share of files "
        'for which a call would show a class, and not "unknown". *ECE*, in brackets: where it would lie, 95 %, if '
        "every confidence were exactly right. *won at 70 %*: what accuracy wins where only the most confident 70 % are "
        "judged, in brackets with the speaker known. *arousal*: balanced accuracy of "
        "high against low. *CCC*: of arousal. *ms*: of one core for an utterance alone, and in brackets for each of "
        "32 together.",
        "",
    ]
    return [
        *lines,
        *_table((*heads, "won at 70 %", "arousal", "arousal, speaker known", "CCC", "ms"), rows),
        *_beside(result),
        *_weights(result.voice),
        *_where(result.environment),
    ]


def _most(one: emotion.EmotionSet | emotion.Known) -> float | None:
    """What accuracy wins where only the most confident 70 % are judged."""
    most = emotion.kept(one.coverage_accuracy, 0.7)
    return None if most is None or one.accuracy is None else most - one.accuracy


def _calibrated(one: emotion.EmotionSet | emotion.Known) -> str:
    return "-" if one.ece is None or one.ece_by_chance is None else spanned(one.ece, one.ece_by_chance)


def _both(live: float | None, known: float | None) -> str:
    return f"{_number(live)} ({_number(known)})"


def _half(one: sentiment.Scored) -> float | None:
    return next((kept.accuracy for kept in one.coverage_accuracy if kept.coverage == 0.5), None)


def _beside(result: emotion.Result) -> list[str]:
    rows = [
        (
            one.name,
            peer.trained_on,
            peer.trained_n,
            peer.n,
            spanned(peer.uar, peer.uar_interval),
            spanned(peer.accuracy, peer.accuracy_interval),
            _number(peer.macro_f1),
        )
        for one in result.sets
        for peer in one.peers
    ]
    told = "An SVM on log-mel statistics and prosody, on the same sound; every speaker is known beforehand:"
    heads = ("set", "trained on", "files", "tested", "UAR", "accuracy", "F1")
    return ["", told, "", *_table(heads, rows)] if rows else []


def _weights(weights: Weights) -> list[str]:
    return [] if weights.sha256 is None else ["", f"Weights {weights.name}, SHA-256 `{weights.sha256}`."]


def _fusion(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=fusion.Result)
    rows = [
        (
            part.name,
            part.n,
            view.name,
            spanned(view.uar, view.uar_interval),
            *(_number(figure) for figure in (view.ece, view.accuracy, view.accuracy_at_70)),
        )
        for part in result.parts
        for view in part.views
    ]
    wrong = ", ".join(f"{_percent(share)} % ({name})" for name, share in result.errors.items())
    low, high = result.won_interval
    lines = [
        f"### Voice and words together: {result.voice.name}, {result.words.name}",
        "",
        "Four classes; chance is a UAR of 0.25. *acted*: actors, whose words are plain; *spoken*: sentences that bear "
        "a mood, read by a synthesiser in its one plain voice. *at 70 %*: accuracy of the most confident 70 %. "
        f"Words, in Chinese characters, that the recogniser had wrong: {wrong}.",
        "",
    ]
    return [
        *lines,
        *_table(("part", "utterances", "by", "UAR", "ECE", "accuracy", "at 70 %"), rows),
        "",
        f"Both over the better of the two, UAR, over all: {result.won:+.3f} ({low:+.3f} to {high:+.3f}).",
        *_weights(result.voice),
        *_weights(result.words),
        *_where(result.environment),
    ]


def _churn(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=churn.Result)
    rows = [
        (
            trade.name,
            one.by,
            f"{trade.n} ({_percent(trade.left)} % left)",
            *(
                f"{value:.3f} ({around[0]:.3f} to {around[1]:.3f})"
                for value, around in (
                    (one.auc, one.auc_interval),
                    (one.brier, one.brier_interval),
                    (one.log_loss, one.log_loss_interval),
                )
            ),
        )
        for trade in result.trades
        for one in trade.models
    ]
    calls = [
        (one.by, f"{one.auc:.3f} ({one.auc_interval[0]:.3f} to {one.auc_interval[1]:.3f})", f"{one.log_loss:.3f}")
        for one in result.simulated
    ]
    return [
        "### Who leaves",
        "",
        *(
            f"- *{trade.name}*: {trade.trade}. {trade.version} learned from {trade.learned} customers; by the share of "
            f"these alone the log loss is {trade.without:.3f}."
            for trade in result.trades
        ),
        "",
        *_table(("trade", "by", "customers", "AUC", "Brier score", "log loss"), rows),
        "",
        f"An update takes {result.update_ms.p50} ms, p99 {result.update_ms.p99} ms. A score is within "
        f"{result.furthest} of the sum of its reasons.",
        "",
        f"How long customers with a contract stay, by {result.survival.version}, from their beginning; "
        f"{result.survival.n} customers held out, concordance {result.survival.concordance:.3f} "
        f"({result.survival.concordance_interval[0]:.3f} to {result.survival.concordance_interval[1]:.3f}).",
        "",
        *_table(
            ("contract", "customers", "months", "still there, said", "still there"),
            [
                (
                    one.contract,
                    one.n,
                    one.months,
                    f"{one.said:.3f}",
                    f"{one.kept:.3f} ({one.interval[0]:.3f} to {one.interval[1]:.3f})",
                )
                for one in result.survival.stays
            ],
        ),
        "",
        "What a call adds, **on a simulation with a known hazard**: no open table has calls with outcomes.",
        "",
        *_table(("by", "AUC", "log loss"), calls),
        *_where(result.environment),
    ]


def _intent(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=intent.Result)
    rows = [
        (
            one.name,
            one.language,
            one.system,
            one.condition,
            one.n,
            len(one.per_intent),
            _number(one.macro_f1, 3),
            f"{_number(one.macro_low)} ... {_number(one.macro_high)}",
            _number(one.alarms, 3),
            _number(one.calibration_error, 3),
            _number(one.likely_error, 3),
        )
        for one in result.sets
    ]
    heads = ("set", "language", "by", "text", "texts", "intents", "macro-F1", "95 %", "alarms", "calibration error")
    lines = [
        f"### Intents: {result.weights['version']}",
        "",
        "*alarms*: share of the texts that want nothing in which an intent was named. *plain*: without punctuation and "
        f"capitals; *heard*: {_percent(result.error_rate)} % of the characters or words wrong besides. "
        "*phrases*: the default playbook, over the intents that it knows.",
        "",
    ]
    times = [
        f"Batch {one.batch}: {_number(one.all_in.p50)} ms a sentence, {_number(one.head.p50)} ms without the embedding."
        for one in result.timing
    ]
    return [*lines, *_table((*heads, "of 0.1 and more"), rows), "", *times, *_where(result.environment)]


def _desk(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=desk.Result)
    rows = [
        (name, one.n, *(_number(figure, 1) for figure in (one.p50, one.p95, one.p99, one.max)))
        for name, one in (("to the card", result.card_ms), ("to the final", result.final_ms))
    ]
    memory = (
        "" if result.listener_kb is None else f" {result.listener_kb} kB of the gateway's memory for each listener."
    )
    return [
        f"### Cards on the overlay: {result.calls} calls, {result.rules} rules, {result.listeners} listeners",
        "",
        f"From before a final is sent to when a listener has it; {result.asleep} of the listeners never read. "
        f"{result.finals} finals, {result.cards} cards; {result.missing} missing, {result.twice} twice.{memory}",
        "",
        *_table(("from a final sent", "n", "p50, ms", "p95", "p99", "max"), rows),
        "",
        *_table(("process", "cores", "memory, MB"), [(one.name, one.cores, one.memory_mb) for one in result.processes]),
        *_where(result.environment),
    ]


def _freshness(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=freshness.Result)
    late = (("request to the live channel", result.fresh_ms), ("topic to the live channel", result.topic_ms))
    work = (
        ("a new risk by profile and call", result.risk_ms),
        ("all that follows from what is known", result.known_ms),
    )
    rows = [
        (name, one.n, *(_number(figure, digits) for figure in (one.p50, one.p95, one.p99, one.max)))
        for some, digits in ((late, 1), (work, 3))
        for name, one in some
    ]
    return [
        f"### Fresh calls: {result.calls} calls, an event of their customers every {result.every_ms:g} ms",
        "",
        f"{result.events} events, {result.missing} missing. The lower two are times of one core.",
        "",
        *_table(("from", "n", "p50, ms", "p95", "p99", "max"), rows),
        *_where(result.environment),
    ]


def _pages(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=pages.Result)
    rows = [
        (name, *(_number(figure, 0) for figure in (one.p50, one.p95, one.max)))
        for name, one in (
            ("first paint of the overlay", result.first_paint_ms),
            ("first card of the overlay", result.first_card_ms),
            (f"replay of {result.minutes} minutes can be played", result.replay_ms),
        )
    ]
    return [
        f"### Pages: {result.runs} runs in Chromium, nothing cached",
        "",
        f"The long call has {result.utterances} utterances and {result.cards} cards. The script of the overlay has "
        f"{result.overlay_gzipped_kb} kB, gzipped.",
        "",
        *_table(("until", "p50, ms", "p95", "max"), rows),
        *_where(result.environment),
    ]


def _likeness(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=likeness.Result)
    by = {(one.name, one.language, one.condition, one.system): one for one in result.pooled}
    systems = ("phrases", "like", "either")
    rows = [
        (
            *(name, language, condition, one.n),
            *(_percent(by[name, language, condition, each].precision) for each in systems),
            *(_percent(by[name, language, condition, each].recall) for each in systems),
        )
        for (name, language, condition, system), one in by.items()
        if system == "phrases"
    ]
    steps = [
        (one.name, one.language, *(f"{_percent(step.precision)}, {_percent(step.recall)}" for step in one.steps))
        for one in result.sweeps
    ]
    alarms = [(one.name, one.language, one.n, *(one.per_thousand[each] for each in systems)) for one in result.alarms]
    defaults = ", ".join(f"{least} in {language}" for language, least in result.defaults.items())
    return [
        f"### Sentences by meaning: {result.playbook}",
        "",
        "Rules of the default playbook that are meant for an intent, all together, without trained intents, percent. "
        "*phrases*: their phrases; *like*: six sentences a language and rule (`benchmarks/likeness.yaml`) from the "
        f"default likeness on ({defaults}); *either*. *n*: pairs of a text and a rule that is meant for it. *heard*: "
        f"{_percent(result.error_rate)} % of the characters or words wrong. The defaults were chosen on intents_zh, "
        "intents_en and own, the phrases written with the first two in view; the blind sets and the public halves for "
        "evaluation were looked at for these figures alone. A public set counts only the intents that its labels "
        "tell of.",
        "",
        *_table(("set", "language", "text", "n", *_each("precision", systems), *_each("recall", systems)), rows),
        "",
        "What other likenesses would give, by the sentences alone, on clean texts: precision, recall.",
        "",
        *_table(("set", "language", *(f"{step.least_likeness:.2f}" for step in result.sweeps[0].steps)), steps),
        "",
        "In dialogues about other things, firings of a rule in a thousand utterances, the mean over the rules; some "
        "are no mistakes, for there too somebody asks for a price:",
        "",
        *_table(("set", "language", "utterances", *systems), alarms),
        "",
        f"A text has {result.clauses:.1f} clauses; its vectors take {_number(result.meaning_ms.p50)} ms of one core "
        f"(p95 {_number(result.meaning_ms.p95)}), to compare them with the sentences of all the rules "
        f"{_number(result.compare_ms.p50)} ms (p95 {_number(result.compare_ms.p95)}).",
        *_where(result.environment),
    ]


def _each(name: str, systems: Sequence[str]) -> tuple[str, ...]:
    return (f"{name}: {systems[0]}", *systems[1:])


def _rules(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=rules.Result)
    rows = [
        (
            one.rules,
            one.ready_ms,
            *(_number(figure) for figure in (one.ms.p50, one.ms.p95, one.ms.p99, one.without_rules_ms)),
            f"{_number(one.each_in_turn_ms.p50)} ({_number(one.each_in_turn_ms.p95)})",
            one.fired,
        )
        for one in result.sizes
    ]
    heads = (
        "rules",
        "made ready, ms",
        "p50, ms",
        "p95",
        "p99",
        "without rules, p50",
        "each in turn, p50 (p95)",
        "fired",
    )
    return [
        f"### Cost of rules: {result.utterances} utterances in {result.calls} calls",
        "",
        "Of one core for an utterance, with all that else is kept of a call. *each in turn*: the same with every rule "
        "tried, and all its words; both tell the same.",
        "",
        *_table(heads, rows),
        *_where(result.environment),
    ]


_ANSWERED: Final = (
    *("set", "bound", "from", "known", "right", "kept", "wrong"),
    *("unknown", "alarms", "near", "near alarms", "far", "far alarms", "AUC"),
)


def _alarms(count: int, share: float | None) -> tuple[int | str, str]:
    return (count, _percent(share)) if count and share is not None else ("", "")


def _knowledge(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=knowledge.Result)
    found = [
        (
            one.name,
            one.way,
            one.articles,
            one.n,
            spanned(one.recall_1, one.recall_1_around),
            spanned(one.recall_5, one.recall_5_around),
            spanned(one.mrr, one.mrr_around),
        )
        for one in result.found
    ]
    answered = [
        (
            one.name,
            one.bound,
            f"{one.enough:g}",
            one.known,
            _percent(one.right),
            _percent(one.kept),
            _percent(one.wrong),
            *_alarms(one.unknown, one.alarms),
            *_alarms(one.near, one.near_alarms),
            *_alarms(one.far, one.far_alarms),
            _number(one.auc, 3),
        )
        for one in result.answered
    ]
    codes = [(one.way, one.n, one.right, one.wrong) for one in result.codes]
    shelves = [
        (
            one.articles,
            _number(one.search_ms.p50, 1),
            _number(one.search_ms.p95, 1),
            _number(one.ranking_ms.p95, 1),
            _number(one.build_s, 1),
            _number(one.memory_mb, 0),
        )
        for one in result.shelves
    ]
    return [
        "### Knowledge",
        "",
        "What is found where nothing is held back, with the 95 % interval:",
        "",
        *_table(("set", "by", "articles", "questions", "recall@1", "recall@5", "MRR@10"), found),
        "",
        "What the best hit tells from a bound on, percent. *right*, *wrong*: of the questions whose answer is there; "
        "*kept*: of those of them of which the best hit is right. *alarms*: of questions whose answer is not there, as "
        "far as the set knows; *near*: of topics that were withdrawn from among others alike; *far*: of another trade:",
        "",
        *_table(_ANSWERED, answered),
        "",
        "Error codes; of unknown ones it is right to tell nothing:",
        "",
        *_table(("named", "questions", "right", "another's solution"), codes),
        "",
        "Processor time of a search in ms, with the embedding of the question, and *ranking* without; the index built "
        "from the base, in seconds of processor time, and what the process grew by in MB:",
        "",
        *_table(("articles", "p50", "p95", "ranking p95", "build", "memory"), shelves),
        *_where(result.environment),
    ]


def _acknowledged(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=acknowledged.Result)
    rows = [
        (one.language, one.half, one.emotion, one.n, one.meant, _percent(one.precision), _percent(one.recall))
        for one in result.scores
    ]
    return [
        "### Whether the agent took up what the customer felt",
        "",
        "Turns of agents that we wrote ourselves, more than half of them near misses "
        "(`tests/data/acknowledgements_*.csv`); no record of real agents. The phrases were chosen with the half *seen* "
        "in view. *kept* was not looked at for it, but one hand wrote both and the phrases: take it for the most that "
        "can be hoped for.",
        "",
        *_table(("language", "half", "emotion", "n", "take it up", "precision", "recall"), rows),
        *_where(result.environment),
    ]


def _steps(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=steps.Result)
    rows = [
        (one.language, one.half, one.step, one.meant, _percent(one.precision), _percent(one.recall))
        for one in result.scores
    ]
    return [
        "### Steps of the flow, by what the agent says",
        "",
        "Turns of agents that we wrote ourselves, a third of them of no step (`tests/data/steps_*.csv`); no record "
        "of real agents. The phrases were chosen with the half *seen* in view. *kept* was not looked at for it, but "
        "one hand wrote both and the phrases, and a step has few turns: take it for the most that can be hoped for.",
        "",
        *_table(("language", "half", "step", "do it", "precision", "recall"), rows),
        *_where(result.environment),
    ]


def _advice(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=advice.Result)
    examples = result.examples
    calls = [
        (one.name, one.due, one.right, one.shown, ", ".join(one.missed) or "-", ", ".join(one.wrong) or "-")
        for one in result.calls
    ]
    by = {(one.name, one.condition, one.system): one for one in result.sets}
    rows: list[tuple[object, ...]] = []
    for (name, condition, system), one in by.items():
        if system != "rules":
            continue
        for rule, score in one.per_rule.items():
            others = [by[name, condition, other].per_rule[rule] for other in ("phrases", "keywords")]
            rows.append(
                (
                    name,
                    one.language,
                    condition,
                    rule,
                    score.n,
                    score.of,
                    *(_share(each.precision, each.precision_low, each.precision_high) for each in (score, *others)),
                    *(_share(each.recall, each.recall_low, each.recall_high) for each in (score, *others)),
                )
            )
    alarms = [
        (one.name, one.language, one.condition, one.system, one.n, _percent(one.alarms))
        for one in result.sets
        if one.alarms is not None
    ]
    return [
        f"### Rules: {result.playbook}",
        "",
        f"{examples.rules} rules; of {examples.fires} examples that must fire {examples.fired} do, of "
        f"{examples.silent} that must not {examples.kept_silent} do not. On the sample calls, by what was truly said "
        "and the moods of the script, against what the author of the rules says is due "
        "(`tests/data/advice_calls.csv`; 0 is the end of the call):",
        "",
        *_table(("call", "due", "shown of them", "shown in all", "missed", "not due"), calls),
        "",
        "Single utterances, percent with the 95 % interval: *rules* as they run, with the trained intents "
        f"({result.weights}); *phrases* the same rules without; *keywords* plain lists "
        "(`benchmarks/peers/keywords.py`). "
        f"*heard*: {_percent(result.error_rate)} % of the characters or words wrong. *n*: texts for which the rule is "
        "meant, *of*: texts that tell. The phrases were written with the train halves of the public sets and with "
        "intents_zh and intents_en in view: on these two the figures flatter them. They never saw the blind sentences "
        "nor the halves for evaluation.",
        "",
        *_table(
            (
                *("set", "language", "text", "rule", "n", "of", "precision: rules", "phrases", "keywords"),
                *("recall: rules", "phrases", "keywords"),
            ),
            rows,
        ),
        "",
        "Texts that want nothing, on which one of these rules fired all the same:",
        "",
        *_table(("set", "language", "text", "by", "texts of the set", "%"), alarms),
        *_where(result.environment),
    ]


def _share(value: float | None, low: float | None, high: float | None) -> str:
    return "-" if value is None else f"{_percent(value)} ({_percent(low)} to {_percent(high)})"


def _sentiment(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=sentiment.Result)
    found = [(one, scored) for one in result.sets for scored in one.scored]
    others = {
        (one.name, scored.written, scored.reader): scored.accuracy
        for one, scored in found
        if scored.written != sentiment.AS_WRITTEN
    }
    ways = sorted({written for _, written, _ in others})
    rows = [
        (
            one.name,
            scored.reader,
            scored.n,
            spanned(scored.accuracy, scored.accuracy_interval),
            *(_number(others.get((one.name, written, scored.reader))) for written in ways),
            *(_number(figure) for figure in (scored.macro_f1, scored.auc, scored.ece, _half(scored), scored.neutral)),
            f"{scored.ms:.2f} ({scored.ms_32:.2f})",
        )
        for one, scored in found
        if scored.written == sentiment.AS_WRITTEN
    ]
    heads = ("set", "reader", "texts", "accuracy", *ways, "F1", "AUC", "ECE", "at 50 %", "neutral", "ms")
    return [
        f"### Sentiment of texts: {result.text.name}",
        "",
        "*accuracy* counts a score of nothing as wrong where no text is neutral; *F1*: macro; *at 50 %*: accuracy of "
        "the more confident half; *neutral*: share of neutral texts, or of business, within 0.2 of neutral; *ms*: of a "
        "text alone, and in brackets of each of 32 together.",
        "",
        *_table(heads, rows),
        *_weights(result.text),
        *_where(result.environment),
    ]


def _live(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=live.Result)
    latencies = [
        (name, s.n, *(_number(value, 0) for value in (s.p50, s.p95, s.p99, s.max)))
        for name, s in result.latency_ms.items()
    ]
    processes = [(one.name, _number(one.cores), _number(one.memory_mb, 0)) for one in result.processes]
    lost, partials = result.losses, result.partials
    return [
        f"### Live: {result.calls} calls of {result.seconds:g} s, recogniser {result.recogniser}, "
        f"from the {result.through} on",
        "",
        "Milliseconds from the audio's own time to the live channel; *added* is what broker, Faust and live channel "
        "add.",
        "",
        *_table(("latency, ms", "n", "p50", "p95", "p99", "most"), latencies),
        "",
        *_table(("process", "cores", "memory, MB"), processes),
        "",
        f"Finals: {lost.expected} expected, {lost.received} received, {lost.missing} missing, {lost.different} "
        f"different, {lost.twice} twice.",
        "",
        f"Partials: {partials.shown} shown, {partials.committed} characters committed, {partials.rewritten} times "
        f"rewritten; the finals say {_percent(partials.corrected)} % of them otherwise.",
        *_where(result.environment),
    ]


def _capacity(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=capacity.Result)
    share = "as recorded" if result.talk_share is None else f"{_percent(result.talk_share)} %"
    rows = [
        (
            curve.system,
            level.calls,
            *(_number(value, 0) for value in (level.told_ms.p50, level.told_ms.p95)),
            *(_number(value, 0) for value in (level.settled_ms.p50, level.settled_ms.p95)),
            level.missed,
            _percent(level.errors),
        )
        for curve in result.curves
        for level in curve.levels
    ]
    bounds = [held.bound_ms for held in result.curves[0].held] if result.curves else []
    heads = ("system", "calls", "told p50", "p95", "settled p50", "p95", "missed", "errors, %")
    return [
        f"### Capacity: calls of {result.seconds:g} s, talk share {share}",
        "",
        "Milliseconds from the end of a turn to its final text (*told*) and to its last change (*settled*). "
        "WhisperLive and WhisperLiveKit are judged by *settled*, the others by *told*, each at its 95th percentile.",
        "",
        *_table(heads, rows),
        "",
        *_table(
            ("calls that hold a 95th percentile of", *(f"{bound:g} ms" for bound in bounds)),
            ((curve.system, *(held.calls for held in curve.held)) for curve in result.curves),
        ),
        *_where(result.environment),
    ]


def _device(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=device.Result)
    stages = [
        (
            one.batch,
            *(_number(s.p50, 0) for s in (one.encode_ms, one.decode_ms, one.greedy_ms, one.align_ms)),
            _number(one.final_speed, 1),
            _number(one.partial_speed, 1),
        )
        for one in result.stages
    ]
    levels = [
        (level.calls, *(_number(v, 0) for s in (level.finals_ms, level.partials_ms) for v in (s.p50, s.p95)))
        for level in result.levels
    ]
    weights = "random weights, so times alone count" if result.random else "real weights"
    return [
        f"### The device alone: {result.model}, {result.compute} on {result.device}",
        "",
        f"{result.name}, {result.workers} workers, {weights}; loading took {result.loaded_mb:.0f} MB, the largest "
        f"batch {result.peak_mb:.0f} MB in all. Utterances of 4 s; ms at the median; seconds of speech a second.",
        "",
        *_table(("batch", "encoder", "decoder", "greedy", "word times", "finals", "partials"), stages),
        "",
        f"Calls through the queue, talk share {result.talk_share:g}, ms: {result.holds} hold {result.bound_ms:g} ms.",
        "",
        *_table(("calls", "finals p50", "p95", "partials p50", "p95"), levels),
        *_where(result.environment),
    ]


def _tail(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=tail.Result)
    rows = [
        (
            {"stop": "the protocol's stop", "broken": "a broken socket"}[one.hang_up],
            one.calls,
            one.finals,
            one.missing,
            one.different,
            f"{one.tails} of {one.calls}",
            one.words,
            _number(one.after_ms.p50, 0),
            _number(one.after_ms.p95, 0),
        )
        for one in result.kinds
    ]
    heads = ("hung up by", "calls", "finals", "missing", "different", "last words whole", "words", "p50 ms", "p95")
    return [
        f"### The last words of {result.calls} calls",
        "",
        "Against the same audio offline. Milliseconds from the end of the audio to the last final; a broken line "
        "counts as ended only when nobody has come back for 30 s.",
        "",
        *_table(heads, rows),
        *_where(result.environment),
    ]


def _longrun(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=longrun.Result)
    rows = [
        (name, _number(result.first_mb[name], 0), _number(result.last_mb[name], 0), _percent(growth))
        for name, growth in result.growth.items()
    ]
    return [
        f"### Memory: {result.minutes:g} minutes of calls on {result.lines} lines",
        "",
        f"{result.calls} calls, {result.refused} refused, {result.missed} turns missed. "
        "Resident MB at the end of the first ten minutes (of half "
        "the run, where it is shorter) and at the end.",
        "",
        *_table(("process", "first", "last", "growth, %"), rows),
        *_where(result.environment),
    ]


def _clv(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=clv.Result)
    lines: list[str] = []
    heads = (
        "forecast",
        "foretold of all",
        "came",
        "mean absolute error (95 %)",
        "RMSE",
        "worse than the model by (95 %)",
    )
    for one in result.sets:
        buying, paying = one.purchases_model, one.money_model
        rows = [
            (each.name, _number(each.total, 0), _number(told.actual, 0), _spread(each.error), _number(each.rmse, 2),
             "" if each.better is None else _spread(each.better))
            for told in (one.purchases, one.money)
            for each in told.forecasts
        ]  # fmt: skip
        groups = [(g.repeats, g.n, _number(g.foretold, 2), _number(g.actual, 2)) for g in one.groups]
        lines += [
            f"### What customers buy: {one.name}",
            "",
            f"{one.n} customers, {one.weeks:.1f} weeks foretold; BG/NBD r {buying.r:.3f}, alpha {buying.alpha:.3f}, "
            f"a {buying.a:.3f}, b {buying.b:.3f}, log-likelihood {buying.log_likelihood:.1f}; Gamma-Gamma p "
            f"{paying.p:.2f}, q {paying.q:.2f}, gamma {paying.gamma:.2f} (n={paying.n}). Purchases first, then money.",
            "",
            *_table(heads, rows),
            "",
            "Mean purchases by the repeats of the weeks fitted:",
            "",
            *_table(("repeats", "customers", "foretold", "came"), groups),
            "",
        ]
    return [*lines[:-1], *_where(result.environment)]


def _customers(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=customers.Result)

    def times(of: Spread | None) -> str:
        return "-" if of is None else f"{_number(of.p50, 1)}, {_number(of.p95, 1)}, {_number(of.p99, 1)}"

    rows = [
        (f"{one.customers:,}", f"{one.events:,}", f"{one.rows_s:,.0f}", f"{one.rows_cpu_s:,.0f}", f"{one.load:.1f}",
         times(one.cold_ms), times(one.warm_ms), times(one.cpu_ms), times(one.lookup_ms), _number(one.pops_load, 1),
         f"{one.count_s:.0f}", f"{one.count_memory_mb:.0f}", f"{one.database_gb:.2f}")
        for one in result.sizes
    ]  # fmt: skip
    heads = ("customers", "events", "rows/s", "rows/CPU s", "load", "pop, cold", "pop, warm", "of that CPU",
             "whose number", "load", "count, s", "count, MB", "GB")  # fmt: skip
    return [
        f"### Customers by their number: {result.database}",
        "",
        "Rows of all four files a second of wall time, and a processor second of the importing process, its start "
        "included, which takes 1.5 s a file. Pops and look-ups in ms: p50, p95, p99. *load* is the load average then: "
        "where it is above the number of cores, wall times are mostly waiting.",
        "",
        *_table(heads, rows),
        *_where(result.environment),
    ]


def _health(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=health.Result)
    errors = [(one.kind, one.rule or "none can", one.planted, one.found) for one in result.errors]
    told = [
        ("all", result.pairs, *(_percent(one.recall) for one in result.told)),
        *((kind, n, *(_percent(one.kinds[kind]) for one in result.told)) for kind, n in result.kinds.items()),
    ]
    summary = [
        (one.name, one.found, one.right, _percent(one.precision), _percent(one.recall),
         ", ".join(f"{n} {kind}" for kind, n in one.wrong.items()) or "none")
        for one in result.told
    ]  # fmt: skip
    return [
        f"### Customer data: {result.customers:,} generated customers",
        "",
        f"Our own generator (seed {result.seed}). Score {result.score:.2%}, {result.true_score:.2%} by what was "
        f"planted; {result.unplanted} of {result.flagged} fields flagged were right. {result.events:,} events in "
        f"{result.seconds:.0f} s, at most {result.memory_mb:.0f} MB with the making of the customers.",
        "",
        *_table(("error", "rule", "planted", "found"), errors),
        "",
        "Duplicates, by the likeness that ships and by exact match (a number, a mail address, or name and birthday):",
        "",
        *_table(("way", "pairs told", "right", "precision, %", "recall, %", "wrong"), summary),
        "",
        "Recall by what differs in the second record, %:",
        "",
        *_table(("second record", "pairs", *(one.name for one in result.told)), told),
        *_where(result.environment),
    ]


def _routing(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=routing.Result)
    named = [
        (f"{one.cases}: {one.system}", one.n, _percent(one.right), _percent(one.needs_met)) for one in result.named
    ]
    lines = [
        "### Routing",
        "",
        "Who is named first, on cases judged by hand and on cases made and labelled by a rule; ours, both:",
        "",
        *_table(("cases: by", "n", "right, %", "needs met, %"), named),
        "",
        "A simulated day; seconds are mean, 95th percentile and longest:",
        "",
    ]
    lanes = sorted({one.lane for queued in result.queues for one in queued.lanes})
    days = [
        (
            f"{one.load:.2f} {one.system}",
            _number(one.asa_s, 1),
            *(f"{each.mean:.0f}, {each.p95:.0f}, {each.max:.0f}" for each in sorted(one.lanes, key=lambda e: e.lane)),
            _percent(one.needs_met),
            _percent(one.same_agent),
            _number(one.gini, 3),
            _number(one.least_most, 2),
        )
        for one in result.queues
    ]
    heads = (
        "load, by",
        "answered after, s",
        *lanes,
        "needs met, %",
        "same good agent, %",
        "Gini of work",
        "least/most",
    )
    lines += [*_table(heads, days), "", "Where first words send a call (rows: what they are):", ""]
    read = [
        (f"{one.name} {one.language}: {name}", sum(row.values()), *row.values())
        for one in result.classes
        for name, row in one.matrix.items()
    ]
    lines += [*_table(("set: is", "n", "complaint", "technical", "other"), read), ""]
    heard = [
        (f"{one.name}, {one.seconds} s", one.n, *(one.read.get(name, 0) for name in ("zh", "en", "unknown")))
        for one in result.spoken
    ]
    lines += ["For which language the first seconds are taken, over the telephone's codec:", ""]
    lines += [*_table(("set", "n", "zh", "en", "nothing heard"), heard), ""]
    times = (
        ("a hint", result.hint_ms),
        ("its processor time", result.hint_processor_ms),
        ("a hint with words to read", result.words_ms),
        ("its processor time", result.words_processor_ms),
    )
    took = [(name, one.n, *(_number(each, 1) for each in (one.p50, one.p95, one.p99))) for name, one in times]
    return [*lines, *_table(("ms", "n", "p50", "p95", "p99"), took), *_where(result.environment)]


def _spread(of: clv.Interval) -> str:
    return f"{of.mean:.2f} ({of.low:.2f} ... {of.high:.2f})"


def _silence(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=silence.Result)
    rows = [
        (
            one.name,
            one.minutes,
            _number(one.words_an_hour, 1),
            _number(one.plain_words_an_hour, 1),
            _number(one.filtered_words_an_hour, 1),
        )
        for one in result.sounds
    ]
    heads = ("sound", "minutes", "warmline", "faster-whisper", "with its voice detector")
    return [
        f"### Words where nobody speaks: {result.model}",
        "",
        "Words an hour that were invented, over Chinese, English and language detection.",
        "",
        *_table(heads, rows),
        *_where(result.environment),
    ]


def _windows(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=windows.Result)

    def points(more: float) -> str:
        return f"{more * 100:+.1f}"

    rows = [
        (
            found.name,
            found.n,
            one.window_s,
            _percent(one.errors),
            points(one.more),
            " to ".join(map(points, one.more_interval)),
            _percent(one.retried),
            f"{one.rtf:.3f}",
        )
        for found in result.sets
        for one in found.windows
    ]
    heads = ("set", "files", "shortest window, s", "errors, %", "more than at 30 s", "95 %", "retried, %", "RTF")
    return [
        f"### The shortest window: {result.model} on {result.device}",
        "",
        "Errors of words, an ideograph being one, each file heard "
        f"{result.times} times, begun 20 ms later each time; "
        "*retried*: share of files of which something was decoded again. "
        f"**{result.shortest_s} s** is the shortest with at most {result.margin * 100:g} points more errors than 30 s "
        "on all files together.",
        "",
        *_table(heads, rows),
        *_where(result.environment),
    ]


def _vad(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=vad.Result)
    costs = [
        (one.detector, one.sound, one.core.n, _number(one.core.p50), _number(one.core.p95)) for one in result.costs
    ]
    found = [(one.detector, _percent(one.found), _percent(one.false)) for one in result.qualities]
    return [
        "### Voice activity: what it costs and misses",
        "",
        "Per cent of a core and channel, over the rounds; the share of speech found and of the rest taken for speech.",
        "",
        *_table(("detector", "sound", "n", "p50", "p95"), costs),
        "",
        *_table(("detector", "found, %", "false, %"), found),
        *_where(result.environment),
    ]


def _soak(content: bytes) -> list[str]:
    result: dict[str, Any] = msgspec.json.decode(content)
    environment = msgspec.convert(result["environment"], Environment)
    rows = [
        ("hours of calls passed through", result["hours_of_calls"]),
        ("records written, read", f"{result['records_written']}, {result['records_read']}"),
        ("records a second", result["records_s"]),
        ("most memory, MB, by third", ", ".join(str(value) for value in result["rss_mb_max_by_third"])),
        ("most disk, MB, by third", ", ".join(str(value) for value in result["disk_mb_max_by_third"])),
        ("processor of the broker, %", result["broker_cpu_percent"]),
        ("back after SIGKILL, s", result["restart_after_kill_s"]),
    ]
    return [
        "### The embedded broker over a day at speed",
        "",
        f"As many retentions as in a day, shrunken to {result['seconds']:g} s.",
        "",
        *_table(("what", "figure"), rows),
        *_where(environment),
    ]


def _curve(content: bytes) -> list[str]:
    result = msgspec.json.decode(content, type=curve.Result)
    rows = [
        (
            f"{turn.start_ms / 1000:.1f}",
            turn.direction,
            "-" if turn.size is None else f"{turn.size:+.1f}",
            "-" if turn.agitation is None else f"{turn.agitation:+.2f}",
            "-" if turn.cause == "unknown" else turn.cause,
        )
        for turn in result.turns
    ]
    return [
        f"### The customer's mood over {result.call}",
        "",
        "Synthesised speech, with moods made by pitch, tempo and level: shows what is drawn, not how right it is.",
        "",
        *_table(("s", "turn", "score", "agitation", "after"), rows),
        *_where(result.environment),
    ]


_KINDS: Final[Mapping[str, Callable[[bytes], list[str]]]] = {
    "asr": _asr,
    "vocabulary": _vocabulary,
    "emotion": _emotion,
    "fusion": _fusion,
    "intent": _intent,
    "knowledge": _knowledge,
    "advice": _advice,
    "likeness": _likeness,
    "acknowledged": _acknowledged,
    "steps": _steps,
    "rules": _rules,
    "desk": _desk,
    "freshness": _freshness,
    "pages": _pages,
    "churn": _churn,
    "sentiment": _sentiment,
    "live": _live,
    "capacity": _capacity,
    "silence": _silence,
    "device": _device,
    "tail": _tail,
    "longrun": _longrun,
    "windows": _windows,
    "vad": _vad,
    "broker_soak": _soak,
    "curve": _curve,
    "clv": _clv,
    "customers": _customers,
    "health": _health,
    "routing": _routing,
}
"""By the beginning of the file's name."""


def _picture(result: Path) -> list[str]:
    kind = pictures.kind_of(result)
    return [] if kind is None else ["", f"![{kind.title}](pictures/{pictures.picture_of(result).name})"]


def tables() -> str:
    """All tables, in the order above and then of the names."""
    lines: list[str] = []
    for kind, write in _KINDS.items():
        for path in sorted(RESULTS.glob(f"{kind}*.json")):
            lines += ["", *write(path.read_bytes()), *_picture(path)]
    return "\n".join([BEGIN, *lines, "", END])


def rewritten(document: str) -> str:
    """
    The document with the tables of now.

    Raises:
        ValueError: If it lacks the marks between which they stand.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"expected {BEGIN} and {END}, got a document without (docs/benchmarks.md)")
    return before + tables() + after


def main() -> None:
    """Rewrite it."""
    DOCUMENT.write_text(rewritten(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"rewrote {DOCUMENT}")


if __name__ == "__main__":
    main()
