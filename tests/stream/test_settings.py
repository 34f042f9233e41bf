from pathlib import Path

import pytest

from agent_assist.errors import PlaybookError
from models.errors import VocabularyError, WeightsMissing
from stream.build import check_models, pipeline_policy
from stream.errors import SettingsError
from stream.settings import Settings, load, token


def test_options_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "warmline.toml"
    file.write_text('port = 1\npartitions = 8\nhome = "from-file"\n')
    settings = load(
        {"port": 3, "host": None}, {"WARMLINE_CONFIG": str(file), "WARMLINE_PORT": "2", "WARMLINE_MAX_CALLS": "7"}
    )
    assert (settings.port, settings.partitions, settings.home, settings.max_calls) == (3, 8, Path("from-file"), 7)


@pytest.mark.parametrize(
    ("environment", "name", "expected"),
    [
        ({"WARMLINE_PORT": "many"}, "port", "int"),
        ({"WARMLINE_RECOGNISER": "parrot"}, "recogniser", "enum"),
        ({"WARMLINE_PARTITIONS": "0"}, "partitions", "at least 1"),
    ],
)
def test_a_bad_value_is_told_with_its_name_and_its_source(
    environment: dict[str, str], name: str, expected: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load({}, environment)
    assert name in str(caught.value)
    assert "the environment" in str(caught.value)
    assert expected in str(caught.value)


def test_an_endpoint_for_synopses_is_set_with_its_model_in_any_order() -> None:
    given = {"WARMLINE_SUMMARY_URL": "http://127.0.0.1:9/v1", "WARMLINE_SUMMARY_MODEL": "m"}
    for names in (list(given), list(given)[::-1]):
        settings = load({}, {name: given[name] for name in names})
        assert (settings.summary_url, settings.summary_model) == ("http://127.0.0.1:9/v1", "m")
    with pytest.raises(SettingsError, match="expected the name of a model beside summary_url for the setting summary_"):
        load({}, {"WARMLINE_SUMMARY_URL": "http://127.0.0.1:9/v1"})
    with pytest.raises(SettingsError, match="expected summary_url to begin with http"):
        load({}, given | {"WARMLINE_SUMMARY_URL": "file:///etc"})


def test_an_unknown_setting_in_the_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "warmline.toml"
    file.write_text("prot = 1\n")
    with pytest.raises(SettingsError, match="prot"):
        load({}, {"WARMLINE_CONFIG": str(file)})


@pytest.mark.parametrize(
    ("mistyped", "meant"),
    [("PROT", "PORT"), ("MAXCALLS", "MAX_CALLS"), ("DATABASE_URL", "DATABASE"), ("RECOGNIZER", "RECOGNISER")],
)
def test_a_mistyped_variable_is_told_with_the_setting_that_is_nearest(mistyped: str, meant: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({}, {f"WARMLINE_{mistyped}": "1"})
    assert f"expected the variable WARMLINE_{meant} " in str(caught.value)
    assert f"got WARMLINE_{mistyped} " in str(caught.value)


@pytest.mark.parametrize(
    "name", ["TEST_KAFKA", "TEST_RECOGNISER", "BENCH_BROKER", "CORPUS", "PEER_WHISPERLIVE", "CRM_SECRET"]
)
def test_variables_that_are_no_settings_are_left_alone(name: str) -> None:
    assert load({}, {f"WARMLINE_{name}": "x"}) == load({}, {})


def test_every_setting_can_be_given_by_a_variable_and_an_empty_one_gives_nothing() -> None:
    names = [f"WARMLINE_{name.upper()}" for name in Settings.__struct_fields__]
    assert load({}, dict.fromkeys([*names, "WARMLINE_PROT"], "")) == load({}, {})


def test_a_call_may_hold_the_vocabularys_terms_and_the_names_of_competitors(tmp_path: Path) -> None:
    file = tmp_path / "vocabulary.yaml"
    file.write_text("terms: [星河商城]\nqueues: {billing: [月结]}\n", encoding="utf-8")
    found = pipeline_policy(load({}, {"WARMLINE_VOCABULARY": str(file)})).vocabularies
    competitors = [term.text for term in pipeline_policy(load({}, {})).vocabularies.of().terms]
    assert "云集优选" in competitors
    assert [term.text for term in found.of("billing").terms] == ["星河商城", *competitors, "月结"]


def test_a_vocabulary_that_cannot_be_read_is_told_before_anything_starts(tmp_path: Path) -> None:
    settings = load({}, {"WARMLINE_VOCABULARY": str(tmp_path / "none.yaml"), "WARMLINE_RECOGNISER": "none"})
    with pytest.raises(VocabularyError, match=r"none\.yaml"):
        check_models(settings)


def test_secrets_are_not_printed() -> None:
    shown = load({"token": "hush"}, {"WARMLINE_TWILIO_AUTH_TOKEN": "hush-too"}).public()
    assert "hush" not in str(shown)


def test_a_token_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    settings = load({"home": tmp_path / "new"}, {})
    made = token(settings)
    assert len(made) >= 24
    assert token(settings) == made
    assert (tmp_path / "new" / "token").stat().st_mode & 0o077 == 0


def test_rules_on_what_is_meant_are_refused_where_nothing_can_tell_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rules.yaml").write_text(
        "name: mine\nversion: '1'\nrules:\n"
        "  - {id: r, kind: card, priority: 1, title: {en: t}, reason: {en: r}, like: {en: [I have waited long]}}\n",
        encoding="utf-8",
    )
    given = {"WARMLINE_PLAYBOOK": str(tmp_path), "WARMLINE_RECOGNISER": "none"}
    with pytest.raises(PlaybookError, match='rules with `like`, got the setting emotion = "rules"'):
        check_models(load({}, given | {"WARMLINE_EMOTION": "rules"}))

    def missing(name: str, **_: object) -> Path:
        raise WeightsMissing(name, "nowhere", "nothing")

    monkeypatch.setattr("stream.build.locate", missing)
    with pytest.raises(PlaybookError, match="rules with `like`, got none"):
        check_models(load({}, given))
