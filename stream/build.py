"""From settings to the objects that do the work."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Engine

from agent_assist.advice.playbook import Playbook
from agent_assist.advice.playbook import load as load_playbook
from agent_assist.advice.rewrite import Rewriter
from agent_assist.advice.sense import Sense
from agent_assist.advice.tenants import Shelved, folders, of_tenant
from agent_assist.call.assistant import Assistant
from agent_assist.call.fields import prepare
from agent_assist.customer.outreach import DEFAULT as OUTREACH
from agent_assist.customer.outreach import Outreach
from agent_assist.customer.outreach import load as load_outreach
from agent_assist.customer.tags import DEFAULT as TAGS
from agent_assist.customer.tags import Business, WorthPolicy
from agent_assist.customer.tags import load as load_tags
from agent_assist.errors import PlaybookError
from agent_assist.knowledge.base import KnowledgeBase
from agent_assist.knowledge.index import KnowledgeIndex, SearchPolicy
from agent_assist.knowledge.space import vectors
from agent_assist.routing.policy import DEFAULT as ROUTING
from agent_assist.routing.policy import Policy
from agent_assist.routing.policy import load as load_routing
from agent_assist.store.alerts import Alerts
from agent_assist.store.customers import CustomerStore
from agent_assist.store.profiles import Profiles
from agent_assist.store.recordings import Recordings
from agent_assist.store.scheduling import Scheduler
from agent_assist.webhooks.receivers import Receiver, wanted
from agent_assist.webhooks.receivers import load as load_receivers
from agent_assist.webhooks.receivers import read as read_receivers
from audio.vad import LevelVad, SileroVad, VoiceActivity
from models.acoustic import AcousticModel
from models.asr import WhisperRecogniser
from models.churn import shipped
from models.embedding import Embedding, Top
from models.emotion import VoiceModel
from models.errors import ModelError
from models.fusion import OPEN, RULES
from models.intent import IntentModel
from models.public.opening import open_voice_model
from models.reading import PhraseReader, Read, Reader, TrainedReader
from models.scripted import ScriptedRecogniser
from models.survival import shipped_hazard
from models.unsupervised import UnsupervisedVoice
from models.vocabulary import Vocabularies
from models.vocabulary import load as load_vocabulary
from models.weights import find, locate
from models.wording import TextModel
from stream import metrics
from stream.errors import SettingsError
from stream.hearing import Hearing, ModelHearing
from stream.listen import ListenPolicy
from stream.pipeline import PipelinePolicy
from stream.playbooks import Playbooks
from stream.settings import Settings

log = structlog.get_logger()

_EMBEDDING: Final = "multilingual-e5-small"


def _weights(settings: Settings, name: str) -> Path:
    return locate(name, directory=settings.weights, cache=settings.home / "weights", hub=settings.hub)


def check_models(settings: Settings) -> None:
    """
    See that the weights are there and whole, and that vocabulary and playbook can be read, before any process starts.

    Raises:
        models.errors.ModelError: Says which weights are missing and how to get them, or what the vocabulary lacks.
        agent_assist.errors.PlaybookError: Says what is wrong in the playbook.
    """
    pipeline_policy(settings)
    for path in folders(settings.playbook).values():
        _meant(settings, load_playbook(path))
    if settings.recogniser == "whisper":
        _weights(settings, settings.model)
        if settings.voices is not None:
            open_voice_model(settings.voices, settings.device)
        if settings.emotion != "rules":
            _weights(settings, _EMBEDDING)
            for kind in ("voice", "text", "intent"):
                _weights(settings, f"{kind}-{settings.emotion}")


def hearing(settings: Settings) -> Hearing:
    """The recogniser, warmed up, and the measures of the voice."""
    if settings.recogniser == "none":
        return ModelHearing(ScriptedRecogniser(), UnsupervisedVoice(), PhraseReader())
    recogniser = WhisperRecogniser(
        _weights(settings, settings.model),
        device=settings.device,
        compute=settings.compute,
        devices=settings.devices,
        workers=settings.workers,
        window_s=find(settings.model).window_s,
    )
    recogniser.warm()
    facts = {"model": settings.model, "device": recogniser.device, "compute": recogniser.compute}
    metrics.MODEL.info(facts)
    log.info("model", workers=recogniser.capacity.workers, **facts)
    return ModelHearing(recogniser, voices(settings), reader(settings))


def voices(settings: Settings) -> VoiceModel:
    """What judges the customer's voice."""
    if settings.voices is not None:
        return open_voice_model(settings.voices, settings.device)
    if settings.emotion == "rules":
        return UnsupervisedVoice()
    return AcousticModel(_own(settings, "voice", "onnx"))


def reader(settings: Settings) -> Reader:
    """What reads the words."""
    if settings.emotion == "rules":
        return PhraseReader()
    place = _weights(settings, _EMBEDDING)
    embedding = Embedding(place)
    texts = TextModel(_own(settings, "text", "safetensors"), embedding)
    intents = IntentModel(_own(settings, "intent", "safetensors"), embedding)
    return TrainedReader(embedding, texts, intents, Top(place / "deep.onnx"))


def _own(settings: Settings, kind: str, ending: str) -> Path:
    name = f"{kind}-{settings.emotion}"
    return _weights(settings, name) / f"{name}.{ending}"


def vad(settings: Settings) -> VoiceActivity:
    """What finds speech."""
    return LevelVad() if settings.recogniser == "none" else SileroVad()


def pipeline_policy(settings: Settings) -> PipelinePolicy:
    """How calls are cut, and which names they may hold: those of the vocabulary and the playbook's competitors."""
    given = Vocabularies() if settings.vocabulary is None else load_vocabulary(settings.vocabulary)
    playbooks = [load_playbook(path) for path in folders(settings.playbook).values()]
    competitors = [one for playbook in playbooks for one in playbook.competitors]
    return PipelinePolicy(
        partial_every=settings.partial_every_ms * 16,
        keys=settings.keys,
        fusion=RULES if settings.emotion == "rules" else OPEN,
        vocabularies=given.extended(name for one in competitors for name in (one.name, *one.aliases)),
    )


def listen_policy(settings: Settings) -> ListenPolicy:
    """How a worker treats its calls."""
    return ListenPolicy(pipeline=pipeline_policy(settings), idle_timeout_s=settings.idle_timeout_s)


def rewriter(settings: Settings) -> Rewriter | None:
    """What words synopses anew, where there is such an endpoint."""
    if settings.summary_url is None:
        return None
    return Rewriter(settings.summary_url, settings.summary_model, key=settings.summary_key)


def playbook(settings: Settings, tenant: str | None = None) -> Playbook:
    """A tenant's, as its files are now, or that of calls that name none."""
    return load_playbook(of_tenant(folders(settings.playbook), tenant))


def assistant(settings: Settings, tenant: str | None = None) -> Assistant:
    """The rules and the risk for calls of a tenant, or of none."""
    given = playbook(settings, tenant)
    return Assistant(given, sense=sense(settings, given), zone=ZoneInfo(settings.time_zone))


def sense(settings: Settings, given: Playbook) -> Sense | None:
    """
    What the sentences of a playbook mean; None where its rules name none.

    Raises:
        PlaybookError: If nothing can tell.
    """
    place = _meant(settings, given)
    return None if place is None else Sense(given.sentences(), _deep(place))


def _meant(settings: Settings, given: Playbook) -> Path | None:
    """Where the weights are that tell what the sentences of a playbook mean."""
    if not given.sentences():
        return None
    expected = f"the weights {_EMBEDDING} for rules with `like`"
    if settings.emotion == "rules":
        raise PlaybookError(given.source, expected, 'the setting emotion = "rules"')
    try:
        return _weights(settings, _EMBEDDING)
    except ModelError as error:
        raise PlaybookError(given.source, expected, f"none: {error}") from error


@cache
def _deep(place: Path) -> Embedding:
    """For sentences of playbooks and for the knowledge base: one in a process."""
    return Embedding(place, deep=True)


def receivers(settings: Settings, environment: Mapping[str, str]) -> tuple[Receiver, ...]:
    """
    Who is told by webhook.

    Args:
        environment: In which their secrets may stand.

    Raises:
        agent_assist.errors.ReceiverError: If the file or a secret cannot be used.
    """
    return () if settings.receivers is None else load_receivers(settings.receivers, environment)


def recordings(settings: Settings) -> Recordings | None:
    """Where the sound of calls is kept; None where none is."""
    url = settings.recordings_url
    return None if url is None else Recordings(url)


def playbooks(settings: Settings) -> Playbooks:
    """The rules of all tenants, read again when they change; what hints need is made ready with them."""
    prepare()
    return Playbooks(settings.playbook, zone=ZoneInfo(settings.time_zone), sense=lambda given: sense(settings, given))


def profiles(settings: Settings, engine: Engine) -> Profiles:
    """
    Who the customers are.

    Raises:
        SettingsError: If the file of tags holds none.
    """
    try:
        rules = load_tags(settings.tags or TAGS)
    except ValueError as error:
        raise SettingsError("tags", "a file of rules", str(error), str(settings.tags)) from error
    business = Business(
        zone=ZoneInfo(settings.time_zone),
        currency=settings.currency,
        model=None if settings.trade is None else shipped(settings.trade),
        hazard=shipped_hazard() if settings.trade == "contract" else None,
        calendars=frozenset(settings.calendars),
        worth=WorthPolicy(settings.trade, settings.margin, settings.discount),
    )
    return Profiles(CustomerStore(engine), rules, business)


def outreach(settings: Settings) -> Outreach:
    """
    What is done of its own accord.

    Raises:
        agent_assist.errors.CustomerTableError: If the file cannot be used.
    """
    return load_outreach(settings.outreach or OUTREACH, ZoneInfo(settings.time_zone))


def scheduler(settings: Settings, engine: Engine, profiles: Profiles) -> tuple[Scheduler, Alerts]:
    """What looks at customers of its own accord, and keeps their alerts."""
    policy = outreach(settings)
    told = None if settings.receivers is None else wanted(read_receivers(settings.receivers))
    alerts = Alerts(engine, profiles, policy, told)
    return Scheduler(engine, profiles, policy, alerts, told), alerts


def routing(settings: Settings) -> tuple[Policy, Callable[[str], Read]]:
    """
    By what calls are routed, and what reads a caller's first words; its models are loaded with the first of them.

    Raises:
        SettingsError: If the file of points holds none.
    """
    try:
        policy = load_routing(settings.routing or ROUTING)
    except ValueError as error:
        raise SettingsError("routing", "a file of points", str(error), str(settings.routing)) from error

    @cache
    def words() -> Reader:
        return PhraseReader() if settings.recogniser == "none" else reader(settings)

    return policy, lambda text: words().read([text], [""])[0]


def shelves(settings: Settings) -> Callable[[], Sequence[Shelved]]:
    """The playbooks in force, for who shows them; read at the first use, and again when their files change."""

    @cache
    def read() -> Playbooks:
        return Playbooks(
            settings.playbook,
            zone=ZoneInfo(settings.time_zone),
            lenient=True,
            sense=lambda given: sense(settings, given),
        )

    return lambda: read().shelved()


def search_policy(settings: Settings) -> SearchPolicy:
    """From which chance on the knowledge base answers, and suggests."""
    return SearchPolicy(enough=settings.knowledge_enough, unasked=settings.knowledge_unasked)


def knowledge(settings: Settings) -> tuple[KnowledgeBase, KnowledgeIndex]:
    """What agents can look up; the embedding is loaded with the first question."""
    base = KnowledgeBase(settings.database_url)
    if settings.emotion == "rules":
        return base, KnowledgeIndex(base, policy=search_policy(settings))

    space = vectors(lambda texts: _deep(_weights(settings, _EMBEDDING))(texts))  # noqa: PLW0108 - not yet loaded
    return base, KnowledgeIndex(base, space, search_policy(settings))
