"""A call in a few sentences, each with the utterances that it rests on: drawn from what was said, by templates."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Final

from agent_assist.advice.dates import Due, due
from agent_assist.advice.digest import Digest, Extract, Felt
from agent_assist.types import CallRecord, CallSynopsis, SynopsisPart, SynopsisSentence
from models.curve import PUBLIC
from models.types import EmotionLabel, Utterance

_MOOD: Final = 1.0
"""Points of the public score beyond which a mood is good or bad."""
_TEMPLATES: Final = {
    "zh": {
        "issue": "客户来电：{text}",
        "more": "客户还说：{text}",
        "done": "客服处理：{text}",
        "promise": "客服承诺：{text}",
        "outcome": "客户回应：{text}",
        "sentiment": "客户情绪：开始{start}（{a:+.1f}），结束{end}（{b:+.1f}）",
        "next": "下一步：{at}前兑现「{text}」",
        "open": "下一步：跟进承诺「{text}」，期限未说明",
        "due": "（{at}前）",
        "working": "（{at}前，未计法定节假日）",
        "vague": "（期限无法确定：{words}）",
        "no_start": "（期限：{words}，通话开始时间不详）",
    },
    "en": {
        "issue": "The customer called about this: {text}",
        "more": "The customer also said: {text}",
        "done": "The agent said what was done or offered: {text}",
        "promise": "The agent promised: {text}",
        "outcome": "The customer answered: {text}",
        "sentiment": "The customer's mood: {start} at the start ({a:+.1f}), {end} at the end ({b:+.1f})",
        "next": "Next step, by {at}: “{text}”",
        "open": "Next step, no date given: “{text}”",
        "due": " (by {at})",
        "working": " (by {at}, public holidays not counted)",
        "vague": " (no date follows from “{words}”)",
        "no_start": " (“{words}”; when the call was is not known)",
    },
}
_MOODS: Final = {"zh": ("负面", "平静", "正面"), "en": ("negative", "calm", "positive")}
_LABELS: Final = {
    EmotionLabel.SATISFIED: ("满意", "satisfied"),
    EmotionLabel.ANGRY: ("生气", "angry"),
    EmotionLabel.ANXIOUS: ("焦虑", "anxious"),
    EmotionLabel.DISAPPOINTED: ("失望", "disappointed"),
}
_END: Final = "。！？!?；;.…，, "


def synopsis(call_id: str, digest: Digest, at_ms: int, *, zone: tzinfo = UTC, over: bool = False) -> CallSynopsis:
    """
    A call as it stands.

    Args:
        zone: Of the business, in which its promises are due.
        over: Whether the call has ended.
    """
    language = digest.language
    dues = [due(one.text, digest.started_at, zone) for one in digest.promises]
    found = [
        *_issues(digest, language),
        *(_sentence(SynopsisPart.DONE, "done", (one,), language) for one in digest.done),
        *(_promise(one, when, language) for one, when in zip(digest.promises, dues, strict=True)),
        *(_sentence(SynopsisPart.OUTCOME, "outcome", of, language) for of in [digest.answers] if of),
        *_sentiment(digest, language),
        *_next(digest.promises, dues, language),
    ]
    text = ("" if language == "zh" else " ").join(one.text for one in found)
    return CallSynopsis(call_id=call_id, at_ms=at_ms, language=language, sentences=tuple(found), text=text, over=over)


def synopsis_of(record: CallRecord, *, zone: tzinfo = UTC) -> CallSynopsis:
    """That of a whole call; when the call of a recording was is not known."""
    started_at = None if record.protocol == "recording" else record.started_at
    digest = digest_of(record.utterances, started_at)
    return synopsis(record.call_id, digest, record.duration_ms, zone=zone, over=record.status != "live")


def digest_of(utterances: Iterable[Utterance], started_at: datetime | None) -> Digest:
    """What of a whole call matters."""
    digest = Digest(started_at=started_at)
    for utterance in sorted(utterances, key=lambda one: (one.start_ms, one.channel)):
        digest = digest.push(utterance)
    return digest


def _sentence(part: SynopsisPart, template: str, of: Sequence[Extract], language: str) -> SynopsisSentence:
    comma = "；" if language == "zh" else "; "
    text = _TEMPLATES[language][template].format(text=comma.join(one.text.rstrip(_END) for one in of))
    return SynopsisSentence(
        part=part,
        text=text + ("。" if language == "zh" else "."),
        utterance_ids=tuple(dict.fromkeys(one.id for one in of)),
    )


def _issues(digest: Digest, language: str) -> list[SynopsisSentence]:
    first, rest = digest.issues[:1], digest.issues[1:]
    return [_sentence(SynopsisPart.ISSUE, name, of, language) for name, of in (("issue", first), ("more", rest)) if of]


def _promise(one: Extract, when: Due | None, language: str) -> SynopsisSentence:
    words = _TEMPLATES[language]
    text = words["promise"].format(text=one.text.rstrip(_END))
    if when is not None:
        name = "due" if when.at is not None else when.note
        text += words["working" if when.note == "holidays" else name].format(at=_told(when), words=when.words)
    return SynopsisSentence(
        part=SynopsisPart.PROMISE,
        text=text + ("。" if language == "zh" else "."),
        utterance_ids=(one.id,),
        due_words="" if when is None else when.words,
        due_at=None if when is None else when.at,
        due_note="" if when is None else when.note,
    )


def _sentiment(digest: Digest, language: str) -> list[SynopsisSentence]:
    """The mean of the first and the last utterances whose mood is known; none where there are not two of them."""
    ids = dict.fromkeys(felt.id for felt in (*digest.first, *digest.last))
    if len(ids) < 2:
        return []
    # Those of a short call must not be the start and the end at once.
    half = max(1, min(len(digest.first), len(ids) // 2))
    first, last = digest.first[:half], digest.last[-half:]
    a, b = _score(first), _score(last)
    text = _TEMPLATES[language]["sentiment"].format(
        start=_mood(first, a, language), end=_mood(last, b, language), a=a, b=b
    )
    return [
        SynopsisSentence(
            part=SynopsisPart.SENTIMENT,
            text=text + ("。" if language == "zh" else "."),
            utterance_ids=tuple(felt.id for felt in (*first, *last)),
        )
    ]


def _score(felt: Sequence[Felt]) -> float:
    # No negative zero for people to read.
    return round(PUBLIC * sum(one.valence for one in felt) / len(felt), 1) + 0.0


def _mood(felt: Sequence[Felt], score: float, language: str) -> str:
    """The last emotion that is named and goes with the score, else which side of calm it is."""
    chinese = language == "zh"
    side = (score > _MOOD) - (score < -_MOOD)
    for one in reversed(felt):
        fits = side and (one.label is EmotionLabel.SATISFIED) == (side > 0)
        if one.label in _LABELS and fits:
            return _LABELS[one.label][0 if chinese else 1]
    return _MOODS[language][side + 1]


def _next(promises: Sequence[Extract], dues: Sequence[Due | None], language: str) -> list[SynopsisSentence]:
    """The promise that is due first, else the last that has no date; nothing where nothing was promised."""
    dated = [(when.at, n) for n, when in enumerate(dues) if when is not None and when.at is not None]
    if not promises:
        return []
    if not dated:
        return [_sentence(SynopsisPart.NEXT, "open", promises[-1:], language)]
    _, n = min(dated)
    when = dues[n]
    assert when is not None
    text = _TEMPLATES[language]["next"].format(text=promises[n].text.rstrip(_END), at=_told(when))
    return [
        SynopsisSentence(
            part=SynopsisPart.NEXT,
            text=text + ("。" if language == "zh" else "."),
            utterance_ids=(promises[n].id,),
            due_words=when.words,
            due_at=when.at,
            due_note=when.note,
        )
    ]


def _told(when: Due) -> str:
    return "" if when.at is None else f"{when.at:%Y-%m-%d %H:%M}"
