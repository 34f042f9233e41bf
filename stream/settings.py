"""Everything an operator can set: one TOML file, then ``WARMLINE_*``, then the command's options."""

import os
import secrets
import tomllib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import available_timezones

import msgspec

from agent_assist.customer.reading import CURRENCIES
from stream.errors import SettingsError


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Read once, in cli.py; other files get plain values."""

    home: Path = Path(".warmline")
    """Everything that is written is kept under it."""
    host: str = "127.0.0.1"
    """Where the API, the pages and the telephony doors listen."""
    port: int = 8700
    """Of the API and the pages; 0 takes a free one."""
    media_port: int = 0
    """Of the telephony doors; 0 takes the one after ``port``, or a free one."""
    broker: str | None = None
    """``host:port,...`` of a Kafka cluster; without it the embedded broker is started."""
    broker_port: int = 0
    """Of the embedded broker; 0 takes a free one, and keeps it for this home."""
    partitions: int = 4
    """Of every topic, when it is created; the same on all machines."""
    replication: int = 1
    database: str | None = None
    """SQLAlchemy URL; without it SQLite under ``home``."""
    recordings: str | None = None
    """Where the sound of calls is kept: a directory or a URL that fsspec knows; "off" keeps none; without it, under
    ``home``."""
    token: str | None = None
    """For every door; without it one is made and kept under ``home``."""
    origins: tuple[str, ...] = ()
    """Of pages elsewhere that may hold the overlay, as ``https://crm.example``."""
    recogniser: Literal["whisper", "none"] = "whisper"
    """"none" measures the path without models: speech is found by level, words are placeholders."""
    model: str = "whisper-base"
    emotion: Literal["open", "research", "rules"] = "open"
    """Weights of the customer's emotion and intents: those that come with the program; those that may be used for
    research only, which a command makes; none, but rules and word lists."""
    voices: Path | None = None
    """Directory of a public model of voices, instead of ours."""
    weights: Path | None = None
    """Directory with weights, looked at first."""
    hub: bool = False
    """Whether missing weights may be fetched from the Hugging Face hub."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    compute: Literal["auto", "int8", "float16", "int8_float16", "float32"] = "auto"
    """What the recogniser calculates with; "auto" is int8 on a processor and float16 on a GPU."""
    devices: tuple[int, ...] = (0,)
    """Numbers of the GPUs to be used."""
    workers: int = 0
    """Utterances understood at once, each by one thread of the processor; 0 for one a core. A GPU takes batches."""
    partial_every_ms: int = 1_000
    """New speech before a partial is renewed; 0 for no partials."""
    keys: Literal["menu", "all", "off"] = "menu"
    """Keys pressed that are told: "menu" for at most two with none in the 6 s before, and the count of all others, as
    they may be card numbers; "all"; "off"."""
    session_timeout_s: float = 6.0
    """Without a sign of life for so long, a worker's calls go to another."""
    idle_timeout_s: float = 40.0
    """Without audio for so long, a call counts as lost."""
    max_calls: int = 200
    """More at once are refused."""
    playbook: Path | None = None
    """Directory of rules; without it the default playbook."""
    time_zone: str = "UTC"
    """Of the business, as "Asia/Shanghai": what is promised for tomorrow is due there."""
    currency: str = "CNY"
    """Of the business, ISO 4217: the value of customers is that of their orders in it."""
    trade: Literal["contract", "orders"] | None = None
    """How customers buy, for the risk that they leave before any call: see docs/models/churn.md; None tells none."""
    margin: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    """Share of the money of an order, or of a month's price, that is margin: without it nobody's worth is told."""
    discount: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.10
    """Of a year, for what customers are worth."""
    calendars: tuple[Literal["cn", "west"], ...] = ("cn",)
    """Whose festivals are told of."""
    knowledge_enough: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.25
    """Chance of being an answer from which on the knowledge base tells it: the higher, the fewer wrong answers and the
    more right ones withheld; `docs/knowledge.md` has figures."""
    knowledge_unasked: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.8
    """The same of articles that are shown before the agent asks."""
    tags: Path | None = None
    """YAML file of rules that tag customers; without it the default ones."""
    outreach: Path | None = None
    """YAML file of what is done of its own accord, when and by which team; without it the default one."""
    routing: Path | None = None
    """YAML file of the points by which calls are routed; without it the default ones."""
    summary_url: str | None = None
    """Of an OpenAI-compatible endpoint, up to ``/v1``: it words the synopsis of each call anew. None goes without."""
    summary_model: str = ""
    summary_key: str | None = None
    vocabulary: Path | None = None
    """YAML file of words that the recogniser cannot know, for all calls and for each queue."""
    receivers: Path | None = None
    """YAML file of the programs that are told by webhook, and of what; without it none is."""
    twilio_auth_token: str | None = None
    """Where set, the signature of every Twilio connection is checked against it."""
    public_url: str | None = None
    """As Twilio was given it, for its signature."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    def __post_init__(self) -> None:
        for name, least in (("partitions", 1), ("replication", 1), ("max_calls", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"expected {name} of at least {least}, got {getattr(self, name)}")
        if not self.devices or min(self.devices) < 0:
            raise ValueError(f"expected devices to name at least one GPU, 0 the first, got {self.devices}")
        if self.time_zone not in available_timezones():
            raise ValueError(f"expected a time zone as Asia/Shanghai, got {self.time_zone!r}")
        if self.currency not in CURRENCIES:
            raise ValueError(f"expected a currency of ISO 4217 as CNY, got {self.currency!r}")
        if self.summary_url is not None and not self.summary_url.startswith(("http://", "https://")):
            raise ValueError(f"expected summary_url to begin with http:// or https://, got {self.summary_url!r}")
        if self.partial_every_ms < 200 and self.partial_every_ms != 0:
            raise ValueError(f"expected partial_every_ms of 0 or at least 200, got {self.partial_every_ms}")

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.home.absolute() / 'warmline.db'}"

    @property
    def recordings_url(self) -> str | None:
        if self.recordings == "off":
            return None
        return self.recordings or str(self.home.absolute() / "recordings")

    def public(self) -> dict[str, Any]:
        """All but the secrets, to be printed."""
        shown = msgspec.structs.asdict(self)
        for secret in ("token", "twilio_auth_token", "summary_key"):
            shown[secret] = None if shown[secret] is None else "(set)"
        return {name: str(value) if isinstance(value, Path) else value for name, value in shown.items()}


def load(options: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Settings:
    """
    Read the settings.

    Args:
        options: What the command line gave; None where it gave nothing.
        environment: ``WARMLINE_HOME``, ``WARMLINE_PORT`` ..., and ``WARMLINE_CONFIG`` with the TOML file's path.

    Raises:
        SettingsError: If a value cannot be used, or a variable is named nearly as a setting.
    """
    layers: list[tuple[str, dict[str, Any]]] = []
    if path := environment.get("WARMLINE_CONFIG"):
        try:
            layers.append((path, tomllib.loads(Path(path).read_text())))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise SettingsError("WARMLINE_CONFIG", "a readable TOML file", str(error), path) from error
    known = {field.name for field in msgspec.structs.fields(Settings)}
    _check_names(environment, known)
    given = {name: value for name in known if (value := environment.get(f"WARMLINE_{name.upper()}"))}
    lists: dict[str, Any] = {name: value.split(",") for name, value in given.items() if name in _LISTS}
    layers.append(("the environment", given | lists))
    layers.append(("the command line", {name: value for name, value in options.items() if value is not None}))
    merged: dict[str, Any] = {}
    for source, layer in layers:
        for name, value in layer.items():
            try:
                _convert({name: value})
            except msgspec.ValidationError as error:
                expected = str(error).removeprefix("Expected ").removeprefix("expected ").split(", got")[0]
                raise SettingsError(name, expected, repr(value), source) from error
            merged[name] = value
    settings = _convert(merged)
    if settings.summary_url is not None and not settings.summary_model:
        raise SettingsError("summary_model", "the name of a model beside summary_url", "none", "all of them together")
    return settings


_LISTS: Final = ("origins", "devices", "calendars")
"""Whose values stand in the environment one after the other, with commas between."""


_NO_SETTINGS: Final = ("CONFIG", "CORPUS", "TEST_", "BENCH_", "PEER_")
"""How variables begin that are read elsewhere: the file of settings, and what tests and benchmarks are given."""
_NEAR: Final = 0.75
"""Likeness of names from which on one is taken for a mistyped setting; others may be secrets that a file of receivers
names."""


def _check_names(environment: Mapping[str, str], known: AbstractSet[str]) -> None:
    """
    Look for mistyped names.

    Raises:
        SettingsError: Names the nearest setting.
    """
    for variable in sorted(environment):
        name = variable.removeprefix("WARMLINE_")
        if name == variable or not environment[variable] or name.lower() in known or name.startswith(_NO_SETTINGS):
            continue
        if near := get_close_matches(name.lower(), sorted(known), 1, _NEAR):
            meant = f"WARMLINE_{near[0].upper()}"
            raise SettingsError(near[0], f"the variable {meant}", variable, "the environment")


def _convert(values: dict[str, Any]) -> Settings:
    return msgspec.convert(values, Settings, strict=False, dec_hook=_path)


def _path(kind: type, value: object) -> Path:
    if kind is Path and isinstance(value, str | Path):
        return Path(value).expanduser()
    raise TypeError(f"expected a {kind.__name__}, got {type(value).__name__}")


def token(settings: Settings) -> str:
    """The token of every door, made at the first start and kept readable for the owner alone."""
    if settings.token:
        return settings.token
    path = settings.home / "token"
    if not path.exists():
        settings.home.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(24))
    return path.read_text().strip()
