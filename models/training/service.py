"""Sentences to a service, written by hand, with what they feel like."""

import tomllib
from importlib.resources import files
from itertools import product
from string import Formatter

import msgspec

from models.training.labelled import Labelled, Language
from models.wording import EMOTIONS, SENTIMENTS


class _Group(msgspec.Struct, frozen=True):
    sentiment: str
    emotion: str
    sentences: tuple[str, ...]


class _Written(msgspec.Struct, frozen=True):
    slots: dict[str, tuple[str, ...]]
    group: tuple[_Group, ...]


def sentences(language: Language) -> list[Labelled]:
    """Every sentence with every filling of its slots."""
    read = files("models.training").joinpath("service.toml").read_text(encoding="utf-8")
    written = msgspec.convert(tomllib.loads(read)[language], _Written)
    return [
        Labelled(text, language, "service", SENTIMENTS.index(group.sentiment), EMOTIONS.index(group.emotion))
        for group in written.group
        for sentence in group.sentences
        for text in _filled(sentence, written.slots)
    ]


def _filled(sentence: str, slots: dict[str, tuple[str, ...]]) -> list[str]:
    names = [name for _, name, _, _ in Formatter().parse(sentence) if name]
    choices = product(*(slots[name] for name in names))
    return [sentence.format(**dict(zip(names, choice, strict=True))) for choice in choices]
