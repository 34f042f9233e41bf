"""Knowledge in SQL: versions, their states and the graph. Blocking: run it in a thread beside an event loop."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, RowMapping, Select, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from agent_assist.knowledge.passages import Passage, passages
from agent_assist.knowledge.space import Vectors
from agent_assist.knowledge.types import Imported, Link, Listed, Node, NodeKind, Rejected, State, Stored
from agent_assist.store.engine import open_engine
from agent_assist.store.tables import knowledge_edges as edges
from agent_assist.store.tables import knowledge_nodes as nodes
from agent_assist.store.tables import knowledge_passages as pieces
from agent_assist.store.tables import knowledge_rejected as rejected_rows
from agent_assist.store.tables import knowledge_state as state
from agent_assist.store.tables import knowledge_versions as versions

T = TypeVar("T")

_BATCH: Final = 400
"""Rows of one statement: SQLite takes no more than a few thousand parameters."""


class Piece(NamedTuple):
    """A passage with its vector, if it has one of the embedding that was asked for."""

    passage: Passage
    vector: npt.NDArray[np.float16] | None


class Published(NamedTuple):
    """What is published of a node now."""

    stored: Stored
    pieces: tuple[Piece, ...]


class Changes(NamedTuple):
    """All that is other than at an earlier revision."""

    revision: int
    published: tuple[Published, ...]
    gone: tuple[str, ...]
    """Ids of nodes of which nothing is published any more."""


class KnowledgeBase:
    """
    Versions of nodes: an import makes drafts, publishing replaces what was published before, all at once.

    Args:
        url: SQLAlchemy's, of SQLite or PostgreSQL; ``CallStore.upgrade`` makes the tables.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self._dialect: Any = sqlite if self._engine.dialect.name == "sqlite" else postgresql

    def close(self) -> None:
        self._engine.dispose()

    def draft(self, given: Iterable[Node], *, dry_run: bool = False) -> Imported:
        """Take nodes in as drafts; one whose latest version says the same is left alone."""
        counts = {"added": 0, "changed": 0, "unchanged": 0}
        with self._engine.connect() as connection:
            if not dry_run:
                _hold(connection)
            for some in _batches(list({node.node_id: node for node in given}.values())):
                self._draft(connection, some, counts, dry_run)
            connection.commit()
        return Imported(**counts, rejected=(), dry_run=dry_run)

    def _draft(self, connection: Connection, some: Sequence[Node], counts: dict[str, int], dry_run: bool) -> None:
        known = _latest(connection, [node.node_id for node in some])
        fresh: list[tuple[Node, int, str]] = []
        for node in some:
            version, digest = known.get(node.node_id, (0, ""))
            if digest == (now := _digest(node)):
                counts["unchanged"] += 1
                continue
            counts["changed" if version else "added"] += 1
            fresh.append((node, version + 1, now))
        if not fresh or dry_run:
            return
        upsert = self._dialect.insert(nodes)
        connection.execute(
            upsert.on_conflict_do_update(index_elements=["node_id"], set_={"latest": upsert.excluded.latest}),
            [{"node_id": n.node_id, "kind": n.kind.value, "key": n.key, "latest": v} for n, v, _ in fresh],
        )
        connection.execute(insert(versions), [_version_row(*each) for each in fresh])
        links = [
            {"node_id": node.node_id, "version": version, "kind": kind, "to_id": to_id}
            for node, version, _ in fresh
            for kind, to_id in sorted({(link.kind.value, link.to_id) for link in node.links})
        ]
        if links:
            connection.execute(insert(edges), links)
        connection.execute(insert(pieces), [row for node, version, _ in fresh for row in _piece_rows(node, version)])
        sources = [{"gone": node.source} for node, _, _ in fresh if node.source]
        if sources:
            connection.execute(delete(rejected_rows).where(rejected_rows.c.source == bindparam("gone")), sources)

    def reject(self, given: Sequence[Rejected]) -> None:
        """Keep what could not be taken in, until it is."""
        rows = {one.source[-1024:]: one.reason[:2_000].replace("\0", "") for one in given}
        if not rows:
            return
        upsert = self._dialect.insert(rejected_rows)
        with self._engine.begin() as connection:
            connection.execute(
                upsert.on_conflict_do_update(index_elements=["source"], set_={"reason": upsert.excluded.reason}),
                [{"source": source, "reason": reason} for source, reason in rows.items()],
            )

    def rejected(self, limit: int = 1_000) -> list[Rejected]:
        """What could not be taken in, by source."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(rejected_rows).order_by(rejected_rows.c.source).limit(limit))
            return [Rejected(source=row.source, reason=row.reason) for row in rows]

    def publish(
        self,
        ids: Sequence[str] | None = None,
        *,
        vectors: Vectors | None = None,
        progress: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> list[str]:
        """
        Publish the latest drafts: searches that begin afterwards see all of them, those before none.

        Args:
            ids: Of the nodes; all that have a draft where it is None.
            vectors: Embeds the passages first, before anything is published.
            progress: Told how many passages are embedded, and of how many.

        Returns:
            Ids of the nodes that were published.
        """
        with self._engine.connect() as connection:
            waiting = self._waiting(connection, ids)
        if vectors is not None:
            self._embed(waiting, vectors, progress)
        with self._engine.begin() as connection:
            return self._switch(connection, waiting)

    def reindex(
        self, vectors: Vectors, *, progress: Callable[[int, int], None] = lambda _done, _all: None
    ) -> list[str]:
        """
        Embed anew what is published with vectors of another embedding, or without any.

        Returns:
            Ids of the nodes; searches that begin afterwards find them by their meaning.
        """
        with self._engine.connect() as connection:
            query = _stale(vectors.name).with_only_columns(nodes.c.node_id, nodes.c.published).distinct()
            waiting = [(row.node_id, int(row.published)) for row in connection.execute(query.order_by(nodes.c.node_id))]
        if not waiting:
            return []
        self._embed(waiting, vectors, progress)
        with self._engine.begin() as connection:
            revision = _hold(connection) + 1
            here = nodes.c.node_id == bindparam("node")
            new = update(nodes).where(here, nodes.c.published.is_not(None)).values(revision=revision)
            connection.execute(new, [{"node": node_id} for node_id, _ in waiting])
            connection.execute(update(state).values(revision=revision))
        return [node_id for node_id, _ in waiting]

    def stale(self, model: str) -> int:
        """Published passages that have no vector of an embedding: they are found by their words alone."""
        with self._engine.connect() as connection:
            return int(connection.scalar(_stale(model).with_only_columns(func.count())) or 0)

    @staticmethod
    def _waiting(connection: Connection, ids: Sequence[str] | None) -> list[tuple[str, int]]:
        """Nodes whose latest version is a draft, and that version."""
        query = (
            select(nodes.c.node_id, nodes.c.latest)
            .join(versions, (versions.c.node_id == nodes.c.node_id) & (versions.c.version == nodes.c.latest))
            .where(versions.c.state == State.DRAFT.value)
            .order_by(nodes.c.node_id)
        )
        wanted = None if ids is None else set(ids)
        return [(row.node_id, row.latest) for row in connection.execute(query) if wanted is None or row[0] in wanted]

    def _embed(
        self, waiting: Sequence[tuple[str, int]], vectors: Vectors, progress: Callable[[int, int], None]
    ) -> None:
        done = 0
        for some in _batches(waiting):
            with self._engine.connect() as connection:
                texts = _texts(connection, dict(some))
            found = vectors.embed([text for _, text in texts]).astype(np.float16)
            rows = [
                {"node": node_id, "of": version, "at": number, "model": vectors.name, "vector": vector.tobytes()}
                for ((node_id, version, number), _), vector in zip(texts, found, strict=True)
            ]
            place = (pieces.c.node_id == bindparam("node")) & (pieces.c.version == bindparam("of"))
            with self._engine.begin() as connection:
                connection.execute(update(pieces).where(place, pieces.c.number == bindparam("at")), rows)
            done += len(some)
            progress(done, len(waiting))

    @staticmethod
    def _switch(connection: Connection, waiting: Sequence[tuple[str, int]]) -> list[str]:
        revision = _hold(connection) + 1
        published = select(nodes.c.node_id, nodes.c.published).where(nodes.c.published.is_not(None))
        before = {row.node_id: int(row.published) for row in connection.execute(published)}
        # A later version may have been published meanwhile: it stays.
        new = [(node_id, version) for node_id, version in waiting if version > before.get(node_id, 0)]
        if not new:
            return []
        old = [
            {"node": node_id, "of": before[node_id], "how": State.WITHDRAWN.value}
            for node_id, _ in new
            if node_id in before
        ]
        rows = [{"node": node_id, "of": version, "how": State.PUBLISHED.value} for node_id, version in new]
        place = (versions.c.node_id == bindparam("node")) & (versions.c.version == bindparam("of"))
        connection.execute(update(versions).where(place).values(state=bindparam("how")), [*old, *rows])
        connection.execute(
            update(nodes)
            .where(nodes.c.node_id == bindparam("node"))
            .values(published=bindparam("of"), revision=revision),
            [{"node": node_id, "of": version} for node_id, version in new],
        )
        connection.execute(update(state).values(revision=revision))
        return [node_id for node_id, _ in new]

    def withdraw(self, ids: Sequence[str]) -> list[str]:
        """Take nodes out of every answer, at once; their versions stay on record. Returns those that were published."""
        with self._engine.begin() as connection:
            revision = _hold(connection) + 1
            query = select(nodes.c.node_id, nodes.c.published).where(nodes.c.published.is_not(None))
            rows = [
                {"node": node_id, "of": version}
                for some in _batches(sorted(set(ids)))
                for node_id, version in connection.execute(query.where(nodes.c.node_id.in_(some)))
            ]
            if not rows:
                return []
            place = (versions.c.node_id == bindparam("node")) & (versions.c.version == bindparam("of"))
            connection.execute(update(versions).where(place).values(state=State.WITHDRAWN.value), rows)
            here = nodes.c.node_id == bindparam("node")
            gone = [{"node": row["node"]} for row in rows]
            connection.execute(update(nodes).where(here).values(published=None, revision=revision), gone)
            connection.execute(update(state).values(revision=revision))
        return [str(row["node"]) for row in rows]

    def listed(self, *, how: State | None = None, kind: NodeKind | None = None, limit: int = 100) -> list[Listed]:
        """Versions by node, the latest first."""
        query = (
            select(versions, nodes.c.kind, nodes.c.key, nodes.c.latest)
            .join(nodes, nodes.c.node_id == versions.c.node_id)
            .order_by(versions.c.node_id, versions.c.version.desc())
            .limit(limit)
        )
        if how is not None:
            query = query.where(versions.c.state == how.value)
        if kind is not None:
            query = query.where(nodes.c.kind == kind.value)
        with self._engine.connect() as connection:
            return [_listed(row) for row in connection.execute(query).mappings()]

    def published(self, node_id: str) -> Stored | None:
        """What is published of a node; None where nothing is."""
        with self._engine.connect() as connection:
            found = _published(connection, None, [node_id])
        return found[0].stored if found else None

    def version(self, node_id: str, version: int) -> Stored | None:
        """One version of a node, in whatever state; None where there is no such."""
        with self._engine.connect() as connection:
            here = (versions.c.node_id == node_id, versions.c.version == version)
            row = connection.execute(select(versions).where(*here)).mappings().first()
            if row is None:
                return None
            of_it = (edges.c.node_id == node_id, edges.c.version == version)
            links = connection.execute(select(edges).where(*of_it).order_by(edges.c.kind, edges.c.to_id)).mappings()
            return Stored(node=_node(row, list(links)), version=version)

    def revision(self) -> int:
        """How often anything was published or withdrawn."""
        with self._engine.connect() as connection:
            return int(connection.scalar(select(state.c.revision)) or 0)

    def changes(self, since: int, model: str | None = None) -> Changes:
        """
        What is other than at a revision, as of one moment.

        Args:
            model: Of the embedding whose vectors are wanted.
        """
        with self._engine.connect() as connection:
            if self._dialect is sqlite:
                # sqlite3 begins no transaction for reading alone.
                connection.exec_driver_sql("BEGIN")
            else:
                connection.execution_options(isolation_level="REPEATABLE READ")
            revision = int(connection.scalar(select(state.c.revision)) or 0)
            query = select(nodes.c.node_id, nodes.c.published).where(nodes.c.revision > since)
            rows = list(connection.execute(query))
            there = [row.node_id for row in rows if row.published is not None]
            found = [one for some in _batches(there) for one in _published(connection, model, some)]
        return Changes(revision, tuple(found), tuple(row.node_id for row in rows if row.published is None))

    def count(self) -> int:
        """Nodes that are published."""
        with self._engine.connect() as connection:
            return int(connection.scalar(select(func.count()).where(nodes.c.published.is_not(None))) or 0)


def embedded_text(title: str, passage: Passage, body: str) -> str:
    """What a passage's vector is of: its title and heading say what a paragraph alone does not."""
    return "\n".join(part for part in (title, passage.heading, body[passage.start : passage.end]) if part)


def _stale(model: str) -> Select[Any]:
    """Published passages whose vector is of another embedding."""
    of_it = (nodes.c.node_id == pieces.c.node_id) & (nodes.c.published == pieces.c.version)
    return select(pieces).join(nodes, of_it).where(or_(pieces.c.model.is_(None), pieces.c.model != model))


def _hold(connection: Connection) -> int:
    """Make other writers wait; the revision of now."""
    connection.execute(update(state).values(revision=state.c.revision))
    return int(connection.scalar(select(state.c.revision)) or 0)


def _batches(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[at : at + _BATCH] for at in range(0, len(items), _BATCH)]


def _listed(row: RowMapping) -> Listed:
    return Listed(
        kind=NodeKind(row["kind"]),
        key=row["key"],
        version=row["version"],
        state=State(row["state"]),
        latest=row["version"] == row["latest"],
        title=row["title"],
        language=row["language"],
        source=row["source"],
    )


def _latest(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[int, str]]:
    query = (
        select(nodes.c.node_id, nodes.c.latest, versions.c.sha256)
        .join(versions, (versions.c.node_id == nodes.c.node_id) & (versions.c.version == nodes.c.latest))
        .where(nodes.c.node_id.in_(ids))
    )
    return {row.node_id: (row.latest, row.sha256) for row in connection.execute(query)}


def _digest(node: Node) -> str:
    plain = msgspec.structs.replace(node, source="", attributes=dict(sorted(node.attributes.items())))
    return hashlib.sha256(msgspec.json.encode(plain)).hexdigest()


def _version_row(node: Node, version: int, digest: str) -> dict[str, Any]:
    return {
        "node_id": node.node_id,
        "version": version,
        "state": State.DRAFT.value,
        "title": node.title,
        "language": node.language,
        "body": node.body,
        "attributes": msgspec.json.encode(node.attributes).decode(),
        "source": node.source,
        "sha256": digest,
    }


def _piece_rows(node: Node, version: int) -> list[dict[str, Any]]:
    return [
        {"node_id": node.node_id, "version": version, "number": number, **passage._asdict()}
        for number, passage in enumerate(passages(node.body))
    ]


def _texts(connection: Connection, wanted: dict[str, int]) -> list[tuple[tuple[str, int, int], str]]:
    """Node, version and number of each passage of these versions, and its text."""
    query = (
        select(pieces, versions.c.title, versions.c.body)
        .join(versions, (versions.c.node_id == pieces.c.node_id) & (versions.c.version == pieces.c.version))
        .where(pieces.c.node_id.in_(list(wanted)))
        .order_by(pieces.c.node_id, pieces.c.number)
    )
    return [
        ((row["node_id"], row["version"], row["number"]), embedded_text(row["title"], _passage(row), row["body"]))
        for row in connection.execute(query).mappings()
        if row["version"] == wanted[row["node_id"]]
    ]


def _passage(row: RowMapping) -> Passage:
    return Passage(row["heading"], row["start"], row["end"])


def _published(connection: Connection, model: str | None, ids: Sequence[str]) -> list[Published]:
    current = nodes.c.node_id.in_(ids) & nodes.c.published.is_not(None)

    def of(table: Any, *order: Any) -> dict[str, list[RowMapping]]:
        query = select(table).join(nodes, (nodes.c.node_id == table.c.node_id) & (nodes.c.published == table.c.version))
        found: dict[str, list[RowMapping]] = defaultdict(list)
        for row in connection.execute(query.where(current).order_by(*order)).mappings():
            found[row["node_id"]].append(row)
        return found

    texts = of(versions)
    links = of(edges, edges.c.kind, edges.c.to_id)
    parts = of(pieces, pieces.c.number)
    return [
        Published(
            Stored(node=_node(rows[0], links[node_id]), version=rows[0]["version"]),
            tuple(Piece(_passage(row), _vector(row, model)) for row in parts[node_id]),
        )
        for node_id, rows in sorted(texts.items())
    ]


def _vector(row: RowMapping, model: str | None) -> npt.NDArray[np.float16] | None:
    if model is None or row["model"] != model or row["vector"] is None:
        return None
    return np.frombuffer(row["vector"], np.float16)


def _node(row: RowMapping, links: Sequence[RowMapping]) -> Node:
    kind, _, key = str(row["node_id"]).partition(":")
    return Node(
        kind=NodeKind(kind),
        key=key,
        title=row["title"],
        language=row["language"],
        body=row["body"],
        links=tuple(msgspec.convert(_link(link), Link) for link in links),
        attributes=msgspec.json.decode(row["attributes"]),
        source=row["source"],
    )


def _link(row: RowMapping) -> dict[str, str]:
    kind, _, key = str(row["to_id"]).partition(":")
    return {"kind": row["kind"], "to_kind": kind, "to_key": key}
