"""Playbooks that change while calls go on."""

import os
from pathlib import Path

import pytest

from agent_assist.advice.playbook import Playbook
from agent_assist.errors import PlaybookError
from stream.playbooks import Playbooks

RULE = """
name: {name}
version: "{version}"
rules:
  - {{id: r, kind: card, priority: 1, title: {{en: t}}, reason: {{en: r}}, phrases: {{en: [hello]}}}}
"""


def write(folder: Path, *, name: str = "mine", version: str = "1", text: str | None = None, at: int = 1) -> None:
    folder.mkdir(exist_ok=True, parents=True)
    file = folder / "rules.yaml"
    file.write_text(text if text is not None else RULE.format(name=name, version=version), encoding="utf-8")
    os.utime(file, ns=(at, at))


def sources(playbooks: Playbooks) -> dict[str, str]:
    return {status.tenant: status.source.partition("+")[0] for status in playbooks.status()}


def test_each_tenant_has_its_own_and_all_others_the_default_one(tmp_path: Path) -> None:
    write(tmp_path / "default", name="ours")
    write(tmp_path / "shop", name="shop")
    playbooks = Playbooks(tmp_path)
    assert sources(playbooks) == {"default": "ours 1", "shop": "shop 1"}
    assert playbooks.assistant("shop") is not playbooks.assistant(None)
    assert playbooks.assistant("nobody") is playbooks.assistant(None)


def test_one_directory_of_rules_is_for_everybody(tmp_path: Path) -> None:
    write(tmp_path)
    assert sources(Playbooks(tmp_path)) == {"default": "mine 1"}
    assert sources(Playbooks(None)) == {"default": "default 2"}


def test_a_changed_file_is_in_force_and_an_unchanged_one_is_not_read_again(tmp_path: Path) -> None:
    write(tmp_path)
    playbooks = Playbooks(tmp_path)
    before = playbooks.assistant(None)
    playbooks.refresh()
    assert playbooks.assistant(None) is before
    write(tmp_path, version="2", at=2)
    playbooks.refresh()
    assert sources(playbooks) == {"default": "mine 2"}


def test_where_a_changed_file_cannot_be_read_the_last_good_one_stays_and_the_reason_is_told(tmp_path: Path) -> None:
    write(tmp_path)
    playbooks = Playbooks(tmp_path)
    before = playbooks.assistant(None)
    write(tmp_path, text="rules: [", at=2)
    playbooks.refresh()
    (status,) = playbooks.status()
    assert playbooks.assistant(None) is before
    assert status.source.startswith("mine 1+")
    assert "expected YAML" in status.failed
    write(tmp_path, version="3", at=3)
    playbooks.refresh()
    (status,) = playbooks.status()
    assert (status.source.partition("+")[0], status.failed) == ("mine 3", "")


def test_where_the_directory_is_gone_the_last_good_one_stays_and_that_is_told_until_it_is_back(tmp_path: Path) -> None:
    directory = tmp_path / "mine"
    write(directory)
    playbooks = Playbooks(directory)
    directory.rename(tmp_path / "away")
    for _ in range(2):
        playbooks.refresh()
        (status,) = playbooks.status()
        assert "a directory" in status.failed
        assert [one.failed for one in playbooks.shelved()] == [status.failed]
    (tmp_path / "away").rename(directory)
    playbooks.refresh()
    assert [one.failed for one in playbooks.status()] == [""]


def test_a_tenant_may_come_and_go(tmp_path: Path) -> None:
    write(tmp_path / "default", name="ours")
    playbooks = Playbooks(tmp_path)
    write(tmp_path / "shop", name="shop")
    playbooks.refresh()
    assert set(sources(playbooks)) == {"default", "shop"}
    (tmp_path / "shop" / "rules.yaml").unlink()
    (tmp_path / "shop").rmdir()
    playbooks.refresh()
    assert set(sources(playbooks)) == {"default"}


def test_the_same_version_with_another_content_is_told_apart(tmp_path: Path) -> None:
    write(tmp_path)
    playbooks = Playbooks(tmp_path)
    (first,) = playbooks.status()
    write(tmp_path, text=RULE.format(name="mine", version="1").replace("hello", "goodbye"), at=2)
    playbooks.refresh()
    (second,) = playbooks.status()
    assert first.source != second.source


def test_a_playbook_that_cannot_be_read_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(PlaybookError, match="expected a directory"):
        Playbooks(tmp_path / "nowhere")
    write(tmp_path, text="name: [")
    with pytest.raises(PlaybookError, match="YAML"):
        Playbooks(tmp_path)


def test_who_shows_them_starts_with_a_broken_one_and_tells_its_place(tmp_path: Path) -> None:
    write(tmp_path / "default")
    write(tmp_path / "shop", text="name: shop\nversion: '1'\nrules:\n  - {id: r, kind: sing}")
    playbooks = Playbooks(tmp_path, lenient=True)
    ours, shop = playbooks.shelved()
    assert (ours.tenant, ours.failed) == ("default", "")
    assert ours.playbook is not None
    assert (shop.tenant, shop.playbook) == ("shop", None)
    assert "rules.yaml" in shop.failed
    assert "rule r" in shop.failed
    write(tmp_path / "shop", name="shop", at=2)
    assert [(one.tenant, one.failed) for one in playbooks.shelved()] == [("default", ""), ("shop", "")]


def test_where_nothing_can_tell_what_sentences_mean_the_last_good_one_stays(tmp_path: Path) -> None:
    def sense(playbook: Playbook) -> None:
        if playbook.sentences():
            raise PlaybookError(playbook.source, "weights", "none")

    write(tmp_path)
    playbooks = Playbooks(tmp_path, sense=sense)
    text = RULE.format(name="mine", version="2").replace("phrases: {en: [hello]}", "like: {en: [I have waited long]}")
    write(tmp_path, text=text, at=2)
    playbooks.refresh()
    (status,) = playbooks.status()
    assert status.source.startswith("mine 1+")
    assert status.failed.startswith("expected weights, got none (file=mine 2+")
    with pytest.raises(PlaybookError, match="expected weights"):
        Playbooks(tmp_path, sense=sense)
