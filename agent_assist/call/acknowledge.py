"""
Whether the agent took up what the customer felt, and greeted them by name: judged on the record, by what was said.

Words alone are judged, never the agent's voice; a phrase that we do not know is missed.
"""

from collections.abc import Iterable
from typing import Final

from agent_assist.advice.names import Lexicon, forms
from agent_assist.advice.phrases import Text, compile_phrase, negated
from agent_assist.advice.spoken import spoken
from agent_assist.call.measures import is_assent
from agent_assist.types import Acknowledgement
from audio.types import Channel
from models.types import EmotionLabel, Utterance

WITHIN: Final = 2
"""Utterances of the agent, assents aside, in which the emotion is to be taken up."""
GREETING_WITHIN: Final = 3
"""Utterances of the agent in which the greeting is."""
LEAST_CONFIDENCE: Final = 0.5
"""Of an emotion that is to be taken up, as for the reply that matches it."""

_SOOTHES: Final = (
    "(我|我们)[也|都][很|能|非常|完全|十分|特别|真的|可以|能够](理解|体会|明白您的心情)",
    "(完全|非常|十分|特别)(理解|体会)",
    "(很|非常|十分|真的|实在|真是|万分)*(抱歉|对不起|不好意思)",
    "(抱歉|对不起)*(给您|让您|耽误|久等)",
    "(给您|让您)*(添麻烦|带来不便|带来困扰|久等|失望|担心|着急|不愉快)",
    "(您|请您)*(别急|别着急|别担心|放心|消消气|别生气)",
    "(优先|马上|立刻|立即)*(处理|解决|跟进)",
    "一起解决",
    "感谢您的(理解|耐心|反馈)",
    "换作是我*",
    "i [do|can|really|completely|fully|totally|truly|absolutely] (understand|appreciate|see why|hear you|imagine)",
    "(sorry|apologize|apologise|apologies)",
    "(that|it) (must|sounds|is really|is so) * (frustrating|annoying|upsetting|difficult|worrying|disappointing)",
    "(frustrating|annoying|upsetting|worrying|disappointing) * (that|this|it) (is|was|must)",
    "(do not worry|no need to worry|rest assured|you are right to be)",
    "(sort|solve|fix) this * (together|for you|right away|right now)",
    "(top|first) priority",
)
_THANKS: Final = (
    "(谢谢|感谢)您的*(认可|肯定|夸奖|支持|理解|反馈)",
    "(很高兴|高兴)*(帮到您|帮您|为您)",
    "不客气",
    "(应该的|我们应该做的)",
    "(glad|happy|pleased) * (help|hear)",
    "you are [very|most] welcome",
    "thank you for (saying|your kind|the kind|your feedback)",
    "my pleasure",
)
_PHRASES: Final = {
    True: tuple(compile_phrase(phrase) for phrase in _THANKS),
    False: tuple(compile_phrase(phrase) for phrase in _SOOTHES),
}
_NEGATIVE: Final = frozenset({EmotionLabel.ANGRY, EmotionLabel.ANXIOUS, EmotionLabel.DISAPPOINTED})


def takes_up(text: str, emotion: EmotionLabel) -> bool:
    """Whether an agent who says this takes up such an emotion of the customer."""
    said = Text.of(spoken(text))
    phrases = _PHRASES[emotion is EmotionLabel.SATISFIED]
    return any(not negated(said, found) for phrase in phrases for found in phrase.find(said))


def acknowledgements(utterances: Iterable[Utterance]) -> tuple[Acknowledgement, ...]:
    """
    For each stretch of an emotion of the customer, whether the agent took it up.

    A stretch is one emotion until the agent has said something: what follows within it asks for no other reply. It is
    not judged where the agent did not come to say anything more.

    Args:
        utterances: Of a whole call, in any order.
    """
    said = sorted(utterances, key=lambda one: (one.start_ms, one.channel))
    found: list[Acknowledgement] = []
    last: EmotionLabel | None = None
    for place, one in enumerate(said):
        if one.channel is Channel.AGENT:
            last = last if is_assent(one.text) else None
            continue
        label = _felt(one)
        if label is None or label is last:
            continue
        last = label
        after = [each for each in said[place + 1 :] if each.start_ms >= one.start_ms]
        replies = [each for each in after if each.channel is Channel.AGENT and not is_assent(each.text)][:WITHIN]
        if replies:
            by = next((each.id for each in replies if takes_up(each.text, label)), None)
            found.append(Acknowledgement(utterance_id=one.id, emotion=label, acknowledged=by is not None, by=by))
    return tuple(found)


def greeted_by_name(utterances: Iterable[Utterance], customer_name: str | None) -> bool | None:
    """
    Whether the agent says the customer's name in their first utterances; None where the name is not known.

    The name is heard by its sound; of a Chinese name the family name with a title is enough, of an English one the
    first or the last.
    """
    names = forms(customer_name or "")
    if not names:
        return None
    lexicon = Lexicon(dict.fromkeys(names, ()))
    agent = sorted((one for one in utterances if one.channel is Channel.AGENT), key=lambda one: one.start_ms)
    return any(lexicon.find(spoken(one.text)) for one in agent[:GREETING_WITHIN])


def _felt(said: Utterance) -> EmotionLabel | None:
    emotion = said.emotion
    if emotion is None or emotion.confidence < LEAST_CONFIDENCE:
        return None
    return emotion.label if emotion.label in _NEGATIVE or emotion.label is EmotionLabel.SATISFIED else None
