"""The playbooks that the running program shows to supervisors."""

from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = [pytest.mark.broker, pytest.mark.idle]

RULES = """
name: mine
version: "{version}"
rules:
  - {{id: r, kind: card, speaker: customer, priority: 1, title: {{en: t}}, reason: {{en: r}}, phrases: {{en: [hello]}}}}
"""


async def test_a_playbook_that_breaks_is_shown_with_its_place_and_the_last_good_one_stays(
    start: Any, tmp_path: Path
) -> None:
    file = tmp_path / "rules" / "rules.yaml"
    file.parent.mkdir()
    file.write_text(RULES.format(version=1), encoding="utf-8")
    program = await start(recogniser="none", emotion="rules", playbook=str(file.parent))
    headers = {"authorization": f"Bearer {await program.grant('supervisor', 'boss')}"}
    async with httpx.AsyncClient(base_url=program.addresses["api"], headers=headers) as client:
        (shown,) = (await client.get("/v1/playbooks")).json()["playbooks"]
        assert (shown["state"], shown["version"], shown["failed"]) == ("in_force", "1", "")
        file.write_text(RULES.format(version=2).replace("kind: card", "kind: sing"), encoding="utf-8")
        (shown,) = (await client.get("/v1/playbooks")).json()["playbooks"]
        assert (shown["state"], shown["version"]) == ("broken", "1")
        assert "rules.yaml" in shown["failed"]
        assert "rule r" in shown["failed"]
        sentence = {"speaker": "customer", "language": "en", "text": "hello there"}
        trial = (await client.post("/v1/playbooks/try", json=sentence)).json()
        assert [one["rule"] for one in trial["fired"]] == ["r"]
