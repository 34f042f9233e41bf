"""Knowledge: take it in, publish it, search it."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress, track

from agent_assist.knowledge.base import KnowledgeBase
from agent_assist.knowledge.index import KnowledgeIndex
from agent_assist.knowledge.reading import SUFFIXES, read
from agent_assist.knowledge.space import Vectors, vectors
from agent_assist.knowledge.types import Node, Rejected, State
from agent_assist.store.calls import CallStore
from models.embedding import Embedding
from models.errors import WeightsMissing
from models.weights import locate
from stream.build import search_policy
from stream.commands.run import Home, Json
from stream.settings import Settings, load

knowledge = typer.Typer(help="What agents can look up during a call.", no_args_is_help=True)


def _base(settings: Settings) -> KnowledgeBase:
    settings.home.mkdir(parents=True, exist_ok=True)
    store = CallStore(settings.database_url)
    store.upgrade()
    store.close()
    return KnowledgeBase(settings.database_url)


def _vectors(settings: Settings) -> Vectors | None:
    """None where the weights are not installed, or not wanted: words alone are searched then."""
    if settings.emotion == "rules":
        return None
    try:
        path = locate(
            "multilingual-e5-small",
            directory=settings.weights,
            cache=settings.home / "weights",
            hub=settings.hub,
        )
    except WeightsMissing as error:
        Console(stderr=True).print(f"searching by words alone: {error}")
        return None
    return vectors(Embedding(path, deep=True))


@knowledge.command("import")
def import_files(
    paths: list[Path],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Take files or directories in as drafts; exit code 1 where something was rejected."""
    base = _base(load({"home": home}))
    files = [(path, path.name) for path in paths if not path.is_dir()]
    files += [
        (file, str(file.relative_to(path)))
        for path in paths
        if path.is_dir()
        for file in sorted(path.rglob("*"))
        if file.suffix.lower() in SUFFIXES
    ]
    found = [one for path, name in track(files, console=Console(stderr=True)) for one in read(path, name)]
    rejected = [one for one in found if isinstance(one, Rejected)]
    done = base.draft((one for one in found if isinstance(one, Node)), dry_run=dry_run)
    if not dry_run:
        base.reject(rejected)
    done = msgspec.structs.replace(done, rejected=tuple(rejected))
    if json:
        print(msgspec.json.encode(done).decode())
    else:
        print(f"{done.added} added, {done.changed} changed, {done.unchanged} unchanged, {len(rejected)} rejected")
        for one in rejected:
            print(f"  {one.source}: {one.reason}")
    if rejected:
        raise typer.Exit(1)


@knowledge.command()
def publish(
    ids: Annotated[list[str] | None, typer.Argument(help="KIND:KEY; all drafts where none is given.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Publish drafts, all at once."""
    settings = load({"home": home})
    done = _base(settings).publish(ids or None, vectors=_vectors(settings))
    print(msgspec.json.encode(done).decode() if json else f"{len(done)} published")


@knowledge.command()
def reindex(home: Home = None, json: Json = False) -> None:
    """Embed anew what was published with another embedding, or without one; exit code 1 where there is none."""
    settings = load({"home": home})
    base, space = _base(settings), _vectors(settings)
    if space is None:
        raise typer.Exit(1)
    with Progress(console=Console(stderr=True)) as bar:
        row = bar.add_task("nodes", total=None)
        done = base.reindex(space, progress=lambda some, whole: bar.update(row, completed=some, total=whole))
    print(msgspec.json.encode(done).decode() if json else f"{len(done)} embedded anew")


@knowledge.command()
def search(
    question: str,
    language: Annotated[str | None, typer.Option(help="zh or en; either where not given.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=50)] = 5,
    home: Home = None,
    json: Json = False,
) -> None:
    """Ask in plain words."""
    settings = load({"home": home})
    index = KnowledgeIndex(_base(settings), _vectors(settings), search_policy(settings))
    answer = index.search(question, language=language, limit=limit)
    if json:
        print(msgspec.json.encode(answer).decode())
        return
    for hit in answer.hits:
        print(f"{hit.score:.2f} {hit.title} ({hit.kind.value}:{hit.key}, version {hit.version}, {hit.source})")
        print(f"     {hit.passage}")
    if not answer.hits:
        print("nothing is known on that")


@knowledge.command("list")
def list_versions(
    state: Annotated[State | None, typer.Option(help="Only these.")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 100,
    home: Home = None,
    json: Json = False,
) -> None:
    """Versions, the latest of each first."""
    rows = _base(load({"home": home})).listed(how=state, limit=limit)
    if json:
        print(msgspec.json.encode(rows).decode())
        return
    for row in rows:
        print(f"{row.state.value:<10} {row.kind.value}:{row.key} {row.version} {row.title}")
