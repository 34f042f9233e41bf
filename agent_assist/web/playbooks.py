"""Playbooks over HTTP: what is in force, and what it makes of a sentence and of stored calls."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import JSONBody, QueryParameter

from agent_assist.advice.checking import Finding, check
from agent_assist.advice.conditions import Example
from agent_assist.advice.examples import attempt
from agent_assist.advice.playbook import Playbook
from agent_assist.advice.rule import Rule
from agent_assist.advice.sense import Sense
from agent_assist.advice.tenants import Shelved
from agent_assist.advice.trial import Trial, try_sentence
from agent_assist.call.assistant import Assistant
from agent_assist.quality.backtest import Backtest, Runs
from agent_assist.store.calls import CallStore
from agent_assist.store.fired import RuleUse, rule_use
from agent_assist.types import CallSummary
from agent_assist.web.access import needs, office
from agent_assist.web.passes import Role
from audio.types import Channel

_MOST_CALLS: Final = 500
_MOST_S: Final = 20.0
"""Of a back-test: what has been run until then is told."""
_PAGE: Final = 100

Asked = Request[Any, Any, State]
Tenant = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class ShownExample(msgspec.Struct, frozen=True, kw_only=True):
    """An example of a rule, tried."""

    said: tuple[str, ...]
    language: Literal["zh", "en"]
    fires: bool
    """Whether the rule is to fire in it."""
    holds: bool
    """Whether it does as it is to."""


class ShownRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as it is written, tried and used."""

    rule: Rule
    examples: tuple[ShownExample, ...]
    findings: tuple[Finding, ...]
    use: RuleUse


class ShownPlaybook(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's playbook."""

    tenant: str
    state: Literal["in_force", "broken"]
    """"broken": the files as they stand cannot be used, and what is told is the last good one."""
    failed: str
    """What was expected, what stands there instead, and where."""
    since: datetime | None
    """When the gateway read it; None where there is none."""
    name: str
    version: str
    digest: str
    rules: tuple[ShownRule, ...]
    """None where there was no good one since the start."""


class ShownPlaybooks(msgspec.Struct, frozen=True, kw_only=True):
    """Of all tenants."""

    days: int
    """Over which the use is counted."""
    playbooks: tuple[ShownPlaybook, ...]


class Sentence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What rules are tried on."""

    tenant: Tenant = "default"
    speaker: Channel
    language: Literal["zh", "en"]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]


class BacktestWanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule, and the stored calls to try it on."""

    tenant: Tenant = "default"
    rule: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    days: Annotated[int, msgspec.Meta(ge=1, le=90)] = 7
    calls: Annotated[int, msgspec.Meta(ge=1, le=_MOST_CALLS)] = 100
    """At most, the newest first."""


async def _shelved(request: Asked) -> list[Shelved]:
    read = office(request.app).playbooks
    if read is None:
        raise HTTPException("expected playbooks, got a gateway without them", status_code=503)
    return list(await asyncio.to_thread(read))


async def _in_force(request: Asked, tenant: str) -> tuple[Playbook, Sense | None]:
    """
    What is in force for a tenant, and what its sentences mean.

    Raises:
        NotFoundException: If the tenant has none, or none that can be read.
    """
    for one in await _shelved(request):
        if one.tenant == tenant and one.playbook is not None:
            return one.playbook, one.sense
    raise NotFoundException(f"expected a tenant with a playbook, got {tenant[:80]!r}")


@get("/v1/playbooks", guards=[needs(Role.SUPERVISOR)])
async def list_playbooks(request: Asked, days: Annotated[int, QueryParameter(ge=1, le=90)] = 7) -> ShownPlaybooks:
    """The playbooks in force, their examples tried, and how often each rule fired."""
    shelved = await _shelved(request)
    since = datetime.now(UTC) - timedelta(days=days)
    use = await asyncio.to_thread(rule_use, office(request.app).store, since)
    shown = await asyncio.to_thread(lambda: tuple(_shown(one, use) for one in shelved))
    return ShownPlaybooks(days=days, playbooks=shown)


def _shown(one: Shelved, use: Mapping[tuple[str, str], RuleUse]) -> ShownPlaybook:
    playbook = one.playbook
    return ShownPlaybook(
        tenant=one.tenant,
        state="broken" if one.failed else "in_force",
        failed=one.failed,
        since=None if playbook is None else datetime.fromtimestamp(one.since, UTC),
        name="" if playbook is None else playbook.name,
        version="" if playbook is None else playbook.version,
        digest="" if playbook is None else playbook.digest,
        rules=() if playbook is None else tuple(_rules(playbook, one.sense, use)),
    )


def _rules(playbook: Playbook, sense: Sense | None, use: Mapping[tuple[str, str], RuleUse]) -> Iterator[ShownRule]:
    tried = _TRIED.get(playbook.source)
    if tried is None:
        # A second of work for some hundred examples, which come out the same as long as the playbook does.
        tried = _TRIED[playbook.source] = tuple(_tried(playbook, sense))
        if len(_TRIED) > _MOST_KEPT:
            del _TRIED[next(iter(_TRIED))]
    for one in tried:
        yield msgspec.structs.replace(one, use=use.get((playbook.name, one.rule.id), RuleUse()))


_MOST_KEPT: Final = 32
_TRIED: Final[dict[str, tuple[ShownRule, ...]]] = {}
"""By the playbook's source, which has a digest of its content."""


def _tried(playbook: Playbook, sense: Sense | None) -> Iterator[ShownRule]:
    found = check(playbook, sense)
    for rule in playbook.rules:
        yield ShownRule(
            rule=rule,
            examples=tuple(_examples(playbook, rule, sense)),
            findings=tuple(one for one in found if one.rule == rule.id and one.kind != "example"),
            use=RuleUse(),
        )


def _examples(playbook: Playbook, rule: Rule, sense: Sense | None) -> Iterator[ShownExample]:
    for fires, examples in ((True, rule.examples.fires), (False, rule.examples.silent)):
        for example in examples:
            said = example.said
            yield ShownExample(
                said=(said,) if isinstance(said, str) else said,
                language="en" if example.zh is None else "zh",
                fires=fires,
                holds=_fires(playbook, rule, example, sense) is fires,
            )


def _fires(playbook: Playbook, rule: Rule, example: Example, sense: Sense | None) -> bool | None:
    """None where the example or the rule cannot be run."""
    try:
        tried = attempt(playbook, rule, example, sense)
    except ValueError:
        return None
    return None if tried.failed else tried.fired


@post("/v1/playbooks/try", guards=[needs(Role.SUPERVISOR)], status_code=200)
async def try_rules(request: Asked, data: JSONBody[Sentence]) -> Trial:
    """Which rules a sentence makes fire and why, and which nearly."""
    playbook, sense = await _in_force(request, data.tenant)
    return await asyncio.to_thread(try_sentence, playbook, data.speaker, data.language, data.text, sense)


@post("/v1/playbooks/backtest", guards=[needs(Role.SUPERVISOR)], status_code=200)
async def backtest_rule(request: Asked, data: JSONBody[BacktestWanted]) -> Backtest:
    """How often a rule would have fired in stored calls, where, and what was shown then."""
    playbook, sense = await _in_force(request, data.tenant)
    if all(rule.id != data.rule for rule in playbook.rules):
        raise NotFoundException(f"expected a rule of {playbook.source}, got {data.rule!r}")
    return await asyncio.to_thread(
        _backtest, office(request.app).store, Assistant(playbook, sense=sense), playbook, data
    )


def _backtest(store: CallStore, assistant: Assistant, playbook: Playbook, wanted: BacktestWanted) -> Backtest:
    runs = Runs(lambda _: assistant, playbook.source, (wanted.rule,))
    end = time.monotonic() + _MOST_S
    for line in _ended(store, datetime.now(UTC) - timedelta(days=wanted.days), wanted.calls):
        if time.monotonic() > end:
            break
        record = store.call(line.call_id)
        if record is not None:
            runs.add(record, store.events(line.call_id))
    return runs.result()


def _ended(store: CallStore, since: datetime, most: int) -> Iterable[CallSummary]:
    """The calls that have ended since, the newest first."""
    before: tuple[datetime, str] | None = None
    left = most
    while left > 0 and (page := store.calls(limit=_PAGE, before=before)):
        for line in page:
            if line.started_at < since or left <= 0:
                return
            if line.status != "live":
                left -= 1
                yield line
        before = page[-1].started_at, page[-1].call_id


HANDLERS: Final = (list_playbooks, try_rules, backtest_rule)
