from datetime import UTC, datetime
from pathlib import Path

from agent_assist.customer.facts import facts
from agent_assist.customer.health import Assessment, load
from agent_assist.customer.reading import Bad, Reader, rows
from agent_assist.store.calls import CallStore
from agent_assist.store.customers import CustomerStore
from agent_assist.store.health import HealthStore
from benchmarks import health, population

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def test_the_files_of_a_population_are_the_same_for_a_seed_and_hold_what_is_said(tmp_path: Path) -> None:
    for name in ("one", "other", "third"):
        (tmp_path / name).mkdir()
    one, other = population.write(tmp_path / "one", 300, 3), population.write(tmp_path / "other", 300, 3)
    assert [path.read_bytes() for path in one.paths.values()] == [path.read_bytes() for path in other.paths.values()]
    assert population.write(tmp_path / "third", 300, 4).rows != one.rows
    events = 0
    for kind in ("customers", "orders", "cases", "interactions"):
        reader = Reader(kind=kind, stamp=NOW, now=NOW)
        given = list(reader.events(rows(one.paths[kind], spans=kind == "interactions")))
        assert not [each for each in given if isinstance(each, Bad)]
        events += len(given)
    assert events == one.events
    assert 8 < one.events / 300 < 12
    assert one.most > 4 * one.events / 300


def test_what_is_planted_is_the_same_for_a_seed_and_without_it_nothing_is_wrong() -> None:
    made, again = health.planted(2_000, 5), health.planted(2_000, 5)
    assert made.records == again.records
    assert made.errors == again.errors
    assert {kind for kind, _ in made.errors} == set(health.ERRORS)
    assert set(made.same.values()) == set(health.SECOND)
    assert not made.same.keys() & made.apart.keys()
    spoilt = {who for _, who in made.errors}
    assessment = Assessment(load(), datetime(2026, 11, 1, tzinfo=UTC), "2026-10")
    for record in made.records:
        if record.customer_id not in spoilt:
            assert assessment.push(facts(record.customer_id, health.events([record]))) == []


def test_a_database_of_a_population_is_looked_at_whole(tmp_path: Path) -> None:
    store = CallStore(f"sqlite:///{tmp_path / 'calls.db'}")
    store.upgrade()
    made = health.planted(1_000, 5)
    CustomerStore(store.engine).take(health.events(made.records), "bench", NOW)
    found = HealthStore(store.engine).assess(load(), "2026-10", NOW)
    pairs = {(one.first, one.second) for one in HealthStore(store.engine).candidates(1_000)}
    assert found.customers == len(made.records)
    assert len(pairs & made.same.keys()) > 0.8 * len(made.same)
    store.close()
