"""JSON Schemas of all that others read: the ``--json`` of commands, the API, the topics."""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Any, Final, get_args

import msgspec

from agent_assist.advice.trial import Trial
from agent_assist.call.handoff import Handoff, HandoffGiven
from agent_assist.call.scores import Scores, Turns
from agent_assist.customer.alerts import AlertChange
from agent_assist.customer.events import CustomerEvent
from agent_assist.customer.health import Health
from agent_assist.customer.profile import Profile
from agent_assist.customer.triggers import Trigger
from agent_assist.knowledge.types import Answer, Imported
from agent_assist.quality.backtest import Backtest
from agent_assist.quality.replay import Replayed
from agent_assist.routing.types import HintRequest, RoutingHint
from agent_assist.store.routing import Accuracy
from agent_assist.store.trials import TrialSeen
from agent_assist.types import Assist, CallSummary, Event
from agent_assist.web.alerts import AlertList
from agent_assist.web.api import SCHEMAS, CallList
from agent_assist.web.callers import Candidates
from agent_assist.web.care import TeamCare
from agent_assist.web.compensation import CompensationList
from agent_assist.web.customers import RiskHistory, Timeline
from agent_assist.web.health import DataHealth, Duplicates, Refusals
from agent_assist.web.knowledge import Article, Versions
from agent_assist.web.library import Clips, FoundCalls
from agent_assist.web.live import Snapshot
from agent_assist.web.playbooks import ShownPlaybooks
from agent_assist.web.problem import Problem
from agent_assist.web.routing import AgentList
from agent_assist.web.segments import Board, HeldList
from agent_assist.web.tasks import TaskList
from models.weights import WeightsState
from stream.commands.calls import EffectTable
from stream.commands.customers import Imported as ImportedCustomers
from stream.commands.rejected import Line, Retaken
from stream.commands.rules import RulesCheck, RulesLearned
from stream.commands.run import Addresses
from stream.commands.webhooks import SentWebhooks
from stream.topics import ASSIST, AUDIO, CUSTOMERS, EVENTS, LOAD, ROUTING, SIGNALS
from stream.wire import AudioEnd, AudioStart, ChurnSignal, Invalid, ListenLoad

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class WeightsTable(msgspec.Struct, frozen=True, kw_only=True):
    """What ``models list``, ``models verify`` and ``models pull`` print with ``--json``."""

    weights: tuple[WeightsState, ...]


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """What ``play --json`` prints when the recording has been played."""

    call_id: str


def _live_message() -> Any:
    """A message of the live channel, whose data are those of its kind."""
    kinds: dict[str, Any] = {
        "snapshot": Snapshot,
        "calls": tuple[CallSummary, ...],
        "call": CallSummary,
        "waiting": None,
        "ping": None,
    }
    kinds["alert"] = AlertChange
    kinds |= {str(kind.__struct_config__.tag): kind for kind in (*get_args(Event), *get_args(Assist))}
    messages = [
        msgspec.defstruct(
            f"Live{kind.capitalize()}",
            [("seq", int), ("epoch", str), ("data", data)],
            kw_only=True,
            tag_field="kind",
            tag=kind,
        )
        for kind, data in kinds.items()
    ]
    return reduce(or_, messages)


TYPES: Final[Mapping[str, Any]] = {
    **SCHEMAS,
    "live-message": _live_message(),
    "call-list": CallList,
    "problem": Problem,
    "addresses": Addresses,
    "played": Played,
    "effects": EffectTable,
    "rules-check": RulesCheck,
    "rules-backtest": Backtest,
    "rules-learned": RulesLearned,
    "compensations": CompensationList,
    "tasks": TaskList,
    "care": TeamCare,
    "webhooks": SentWebhooks,
    "search": FoundCalls,
    "clips": Clips,
    "replay": Replayed,
    "playbooks": ShownPlaybooks,
    "playbook-trial": Trial,
    "knowledge-answer": Answer,
    "knowledge-article": Article,
    "knowledge-versions": Versions,
    "knowledge-import": Imported,
    "scores": Scores,
    "scored-turns": Turns,
    "weights": WeightsTable,
    "audio-start": AudioStart,
    "audio-end": AudioEnd,
    "churn-signal": ChurnSignal,
    "alert-change": AlertChange,
    "alerts": AlertList,
    "trigger": Trigger,
    "customer-event": CustomerEvent,
    "customer": Profile,
    "timeline": Timeline,
    "risks": RiskHistory,
    "candidates": Candidates,
    "segments": Board,
    "trial": TrialSeen,
    "segment-customers": HeldList,
    "import": ImportedCustomers,
    "rejected": Line,
    "retaken": Retaken,
    "data-health-report": Health,
    "data-health": DataHealth,
    "data-duplicates": Duplicates,
    "data-rejected": Refusals,
    "agents": AgentList,
    "handoff-given": HandoffGiven,
    "handoff": Handoff,
    "routing-request": HintRequest,
    "routing-hint": RoutingHint,
    "routing-accuracy": Accuracy,
    "listen-load": ListenLoad,
    "invalid": Invalid,
}
"""Type of each shape by the name of its schema."""


def schema(name: str, kind: Any) -> dict[str, Any]:
    """The schema of one type, with its name as title."""
    return {"$schema": _DIALECT, "title": name, **msgspec.json.schema(kind)}


def schemas() -> dict[str, dict[str, Any]]:
    """The schema of each shape that the installed program gives out, by name."""
    return {name: schema(name, kind) for name, kind in sorted(TYPES.items())}


def asyncapi(version: str) -> dict[str, Any]:
    """
    The topics and the live channel, described.

    Source: AsyncAPI 3.0.0.
    """
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for address, kinds, action in (
        (AUDIO.name, ("audio-start", "audio-end"), "receive"),
        (EVENTS.name, ("event",), "send"),
        (ASSIST.name, ("assist",), "send"),
        (SIGNALS.name, ("churn-signal", "alert-change"), "send"),
        (CUSTOMERS.name, ("customer-event",), "receive"),
        (ROUTING.name, ("routing-hint",), "send"),
        (LOAD.name, ("listen-load",), "send"),
        ("/v1/live", ("live-message",), "send"),
    ):
        name = address.strip("/").replace("/", "-").replace(".", "-")
        of_live = address.startswith("/")
        messages |= {
            kind: {
                "payload": {
                    "schemaFormat": "application/schema+json;version=draft-2020-12",
                    "schema": {"$ref": f"{kind}.json"},
                }
            }
            for kind in kinds
        }
        channels[name] = {
            "address": address,
            "servers": [{"$ref": f"#/servers/{'gateway' if of_live else 'kafka'}"}],
            "messages": {kind: {"$ref": f"#/components/messages/{kind}"} for kind in kinds},
        }
        operations[f"{action}-{name}"] = {
            "action": action,
            "channel": {"$ref": f"#/channels/{name}"},
            "summary": _SUMMARIES[address],
        }
    channels["v1-live"]["bindings"] = {
        "ws": {
            "query": {
                "type": "object",
                "properties": {"call": {"type": "string"}, "epoch": {"type": "string"}, "after": {"type": "integer"}},
            }
        }
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Warmline", "version": version},
        "servers": {
            "kafka": {
                "host": "localhost:9092",
                "protocol": "kafka",
                "description": "The embedded broker, or a cluster.",
            },
            "gateway": {
                "host": "localhost:8700",
                "protocol": "ws",
                "security": [{"type": "http", "scheme": "bearer", "description": "Or the subprotocol token.TOKEN."}],
            },
        },
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


_SUMMARIES: Final = {
    AUDIO.name: "Audio of calls: version and kind in two bytes, then start and end as JSON, records in binary.",
    EVENTS.name: "What happens in calls. Key: call id.",
    ASSIST.name: "What is advised, and what people make of it. Key: call id.",
    SIGNALS.name: "The last known risk of each customer, key: customer id; and what happened to their alert, "
    "key: alert: and the customer id. Compacted.",
    CUSTOMERS.name: "What other systems tell of customers, and what a call adds. Key: customer id.",
    ROUTING.name: "Whom a call should go to, when and why. Key: call id.",
    LOAD.name: "How busy each worker is. Key: worker.",
    "/v1/live": "A call, or the list of calls, live; see live.md.",
}
