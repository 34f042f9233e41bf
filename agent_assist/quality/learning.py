"""
Which cards help, by what agents made of them: a share for each rule, drawn towards that of all.

Each card to which an agent reacted is one trial: used or thumbs up is a success, dismissed or thumbs down none. A
rule's share has a beta distribution whose prior is the share of all rules of the playbook, worth so many trials. Its
priority moves only by as much as the interval of the share lies away from that prior: few trials, or mixed ones, move
nothing.

A card of high priority stands on top, is seen more often and so is used more often. Cards to which nobody reacted are
therefore no trials: what was not seen counts for nothing. A bias is left, of what is seen first being used rather than
dismissed; the bound on the shift keeps it from feeding on itself.

Source: the beta-binomial model with an empirical prior as in G. Casella, An introduction to empirical Bayes data
analysis, The American Statistician 39(2), 1985; the position bias as in T. Joachims et al., Accurately interpreting
clickthrough data as implicit feedback, SIGIR 2005.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from agent_assist.advice.learned import MOST, Learned
from agent_assist.advice.playbook import Playbook
from agent_assist.types import FeedbackAction
from models.beta import quantile

STRENGTH: Final = 20.0
"""Trials that the prior is worth: ours, by judgement."""
CONFIDENCE: Final = 0.95
_POINTS: Final = 200
"""Of priority, for the whole way from one share to another that differs by 1."""


class Opinion(NamedTuple):
    """What an agent made of a card."""

    rule: str
    card_id: str
    action: FeedbackAction
    at: datetime


class RuleShare(msgspec.Struct, frozen=True, kw_only=True):
    """How often a rule's cards helped."""

    rule: str
    helped: int
    """Cards."""
    trials: int
    """Cards to which somebody reacted."""
    share: float
    """Mean of the distribution, drawn towards that of all rules."""
    low: float
    high: float
    """The interval of ``CONFIDENCE``."""
    priority: int
    """As the playbook has it."""
    shift: int


class Learning(msgspec.Struct, frozen=True, kw_only=True):
    """Of one playbook."""

    id: str
    """Of the snapshot."""
    prior: float
    """Share of all rules."""
    trials: int
    rules: tuple[RuleShare, ...]
    """Those that may be moved, the best first."""

    def snapshot(self) -> Learned:
        """As it stands in a playbook: what is not moved is left out."""
        return Learned(id=self.id, shifts={each.rule: each.shift for each in self.rules if each.shift})


def learn(playbook: Playbook, opinions: Iterable[Opinion]) -> Learning:
    """What opinions say of a playbook; rules that must not be moved are left out."""
    priorities = playbook.movable()
    helped, trials = _trials(each for each in opinions if each.rule in priorities)
    whole = sum(trials.values())
    # With one success and one failure more, so that nothing is certain before anything was seen.
    prior = (sum(helped.values()) + 1) / (whole + 2)
    found = [_share(rule, at, helped[rule], trials[rule], prior) for rule, at in sorted(priorities.items())]
    found.sort(key=lambda each: (-each.share, each.rule))
    content = msgspec.json.encode(sorted((each.rule, each.shift) for each in found if each.shift))
    return Learning(id=hashlib.sha256(content).hexdigest()[:8], prior=prior, trials=whole, rules=tuple(found))


def _trials(opinions: Iterable[Opinion]) -> tuple[Counter[str], Counter[str]]:
    """Cards that helped, and cards that were reacted to, of each rule."""
    by_card: dict[str, list[Opinion]] = {}
    for each in opinions:
        by_card.setdefault(each.card_id, []).append(each)
    helped: Counter[str] = Counter()
    trials: Counter[str] = Counter()
    for given in by_card.values():
        rule = given[0].rule
        trials[rule] += 1
        helped[rule] += _helps(given)
    return helped, trials


def _helps(opinions: list[Opinion]) -> bool:
    """What somebody says of a card goes before what they did with it, and the last word before those earlier."""
    spoken = [each for each in opinions if each.action in {FeedbackAction.UP, FeedbackAction.DOWN}]
    last = max(spoken or opinions, key=lambda each: (each.at, each.action.value))
    return last.action in {FeedbackAction.UP, FeedbackAction.USED}


def _share(rule: str, priority: int, helped: int, trials: int, prior: float) -> RuleShare:
    a = STRENGTH * prior + helped
    b = STRENGTH * (1 - prior) + trials - helped
    low, high = quantile((1 - CONFIDENCE) / 2, a, b), quantile((1 + CONFIDENCE) / 2, a, b)
    away = max(low - prior, 0.0) or min(high - prior, 0.0)
    return RuleShare(
        rule=rule,
        helped=helped,
        trials=trials,
        share=a / (a + b),
        low=low,
        high=high,
        priority=priority,
        shift=max(-MOST, min(MOST, round(_POINTS * away))),
    )
