"""The published schemas are those of the types, and the examples beside them are what the program gives out."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from benchmarks.schemas import PUBLISHED, files
from stream.cli import app
from stream.schemas import TYPES, asyncapi, schemas
from stream.topics import TOPICS

DIRECTORY = Path(__file__).parents[2] / "docs" / "schemas"
EXAMPLES = [
    pytest.param(name, example, id=f"{name}-{number}")
    for name, section in re.findall(
        r"^## (\S+)\n(.*?)(?=^## |\Z)", (DIRECTORY / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    for number, example in enumerate(re.findall(r"```json\n(.*?)\n```", section, re.DOTALL))
]


def is_exact(example: Any, kind: Any) -> bool:
    """Whether an object has the fields of its type, each of them and no more."""
    return bool(msgspec.json.decode(msgspec.json.encode(msgspec.convert(example, kind))) == example)


def test_the_published_schemas_are_what_the_types_generate() -> None:
    assert {path.name: path.read_text(encoding="utf-8") for path in DIRECTORY.glob("*.json")} == files()


def test_every_schema_has_an_example() -> None:
    assert {param.values[0] for param in EXAMPLES} == set(PUBLISHED)


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_fits_its_type_exactly(name: str, example: str) -> None:
    assert is_exact(json.loads(example), PUBLISHED[name])


def test_an_example_that_lacks_a_field_or_has_one_more_is_found() -> None:
    whole = {"call_id": "CA1"}
    assert is_exact(whole, TYPES["played"])
    assert not is_exact(whole | {"more": 1}, TYPES["played"])
    with pytest.raises(msgspec.ValidationError):
        is_exact({}, TYPES["played"])


def test_everything_that_the_description_of_topics_and_channel_refers_to_is_there() -> None:
    document = asyncapi("1")
    for reference in re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)):
        if not reference.startswith("#/"):
            assert (DIRECTORY / reference).is_file(), reference
            continue
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
    assert {channel["address"] for channel in document["channels"].values()} >= {t.name for t in TOPICS[:5]}


def test_every_schema_of_the_program_says_what_it_is() -> None:
    for name, schema in schemas().items():
        assert schema["title"] == name
        assert "$ref" in schema or "anyOf" in schema


def test_the_table_of_weights_is_printed_in_its_shape(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["models", "verify", "large-v3", "--json", "--home", str(tmp_path)])
    assert result.exit_code == 1
    assert is_exact(json.loads(result.stdout), TYPES["weights"])
