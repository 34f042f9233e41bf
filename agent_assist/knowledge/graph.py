"""The graph in memory: which products and codes a question names, and what solves them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from agent_assist.knowledge.codes import Code, codes, normal
from agent_assist.knowledge.terms import folded
from agent_assist.knowledge.types import EdgeKind, Node, NodeKind, Stored

_RANK: Final = {NodeKind.SOLUTION: 0, NodeKind.ARTICLE: 1, NodeKind.CODE: 2, NodeKind.PRODUCT: 3}


class Named(NamedTuple):
    """What a question names."""

    codes: tuple[str, ...]
    """Ids of code nodes."""
    unknown: tuple[str, ...]
    """Codes that are ones for certain and that the base does not know, as asked."""
    products: tuple[str, ...]
    words: tuple[str, ...]
    """As asked."""


class Graph:
    """Published nodes and their edges."""

    def __init__(self) -> None:
        self.nodes: dict[str, Stored] = {}
        self._codes: dict[str, set[str]] = defaultdict(set)
        self._names: dict[str, set[str]] = defaultdict(set)
        self._into: dict[str, set[tuple[str, EdgeKind]]] = defaultdict(set)

    def add(self, stored: Stored) -> None:
        """A node, in place of what it was before."""
        node = stored.node
        self.remove(node.node_id)
        self.nodes[node.node_id] = stored
        for form in _code_forms(node):
            self._codes[form].add(node.node_id)
        for name in _names(node):
            self._names[name].add(node.node_id)
        for link in node.links:
            self._into[link.to_id].add((node.node_id, link.kind))

    def remove(self, node_id: str) -> None:
        stored = self.nodes.pop(node_id, None)
        if stored is None:
            return
        for form in _code_forms(stored.node):
            self._codes[form].discard(node_id)
        for name in _names(stored.node):
            self._names[name].discard(node_id)
            if not self._names[name]:
                del self._names[name]
        for link in stored.node.links:
            self._into[link.to_id].discard((node_id, link.kind))

    def named(self, question: str) -> Named:
        """Products and codes in a question."""
        plain = folded(question)
        products = sorted({each for name in self._names if name in plain for each in self._names[name]})
        words = [question[plain.index(name) :][: len(name)] for name in self._names if name in plain]
        known: list[str] = []
        unknown: list[str] = []
        for code in codes(question):
            found = self._known(code)
            said = question[code.start : code.end]
            if found:
                known += sorted(found)
                words.append(said)
            elif code.certain and not any(said in word for word in words):
                unknown.append(said)
        return Named(tuple(dict.fromkeys(self._of(known, products))), tuple(unknown), tuple(products), tuple(words))

    def _known(self, code: Code) -> set[str]:
        """Nodes of the likeliest form that is known; a bare number with a prefix only where one alone fits."""
        for at, form in enumerate(code.forms):
            found = self._codes.get(form, set())
            if found and (at == 0 or sum(bool(self._codes.get(other)) for other in code.forms) == 1):
                return found
        return set()

    def _of(self, known: Sequence[str], products: Sequence[str]) -> list[str]:
        """Of codes that several products have, those of the product that is named."""
        own = [each for each in known if self._neighbours(each) & set(products)]
        return own or list(known)

    def _neighbours(self, node_id: str) -> set[str]:
        stored = self.nodes.get(node_id)
        return set() if stored is None else {link.to_id for link in stored.node.links}

    def answers(self, named: Named) -> list[Stored]:
        """Where the codes lead: solutions, articles, then the codes themselves; those of other products last."""
        found = {code: self.nodes[code] for code in named.codes if code in self.nodes}
        for code in named.codes:
            for node_id, kind in self._into[code]:
                if kind in (EdgeKind.SOLVES, EdgeKind.ABOUT) and node_id in self.nodes:
                    found[node_id] = self.nodes[node_id]

        def place(stored: Stored) -> tuple[bool, int, str]:
            node = stored.node
            own = {link.to_id for link in node.links if link.to_kind is NodeKind.PRODUCT}
            elsewhere = bool(named.products and own) and own.isdisjoint(named.products)
            return elsewhere, _RANK[node.kind], node.node_id

        return sorted((one for one in found.values() if not self.is_replaced(one.node.node_id)), key=place)

    def is_replaced(self, node_id: str) -> bool:
        """Whether another node that is published stands in its place."""
        return any(kind is EdgeKind.REPLACES and one in self.nodes for one, kind in self._into.get(node_id, ()))

    def is_about_code(self, node: Node) -> bool:
        """Whether it is of a certain code, and says nothing on others."""
        return node.kind is NodeKind.CODE or any(link.to_kind is NodeKind.CODE for link in node.links)

    def is_about(self, node: Node, products: Iterable[str]) -> bool:
        return not {link.to_id for link in node.links}.isdisjoint(products) or node.node_id in products


def _code_forms(node: Node) -> list[str]:
    """A code node's own normal form; ``code`` where several products have the same one under keys of their own."""
    form = normal(node.attributes.get("code", node.key)) if node.kind is NodeKind.CODE else ""
    return [form] if form else []


def _names(node: Node) -> list[str]:
    if node.kind is not NodeKind.PRODUCT:
        return []
    given = (node.title, *node.attributes.get("aliases", "").replace("，", ",").split(","))
    return [name for one in given if len(name := folded(one.strip())) > 1]
