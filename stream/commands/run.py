"""``up`` and the processes that it starts: ``broker``, ``worker``, ``gateway``."""

import asyncio
import fcntl
import os
import random
import signal
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import structlog
import typer
from rich.console import Console

from stream import logs
from stream.errors import StreamError
from stream.settings import Settings, load, token

log = structlog.get_logger()

Home = Annotated[Path | None, typer.Option(help="Directory under which everything is kept.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Supervised = Annotated[bool, typer.Option(hidden=True, help="Stop when standard input ends.")]

EXIT_CONFIG = 2
EXIT_FAILED = 1


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """What ``up --json`` prints once everything is ready, and leaves in ``run.json``."""

    overlay: str
    api: str
    twilio: str
    broker: str
    token: str
    metrics: dict[str, str]
    pid: int


def _follow_parent(supervised: bool) -> None:
    """End when the parent does, even by SIGKILL: it holds the other end of our standard input."""
    if not supervised:
        return

    def wait() -> None:
        # Not sys.stdin: its lock, held by this thread, would not let the interpreter end.
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        # Without its broker, which ends at the same moment, a worker would wait long for a last commit.
        time.sleep(5)
        os._exit(1)

    threading.Thread(target=wait, name="follow-parent", daemon=True).start()


def reload(home: Home = None) -> None:
    """Have what runs go on with the model that the settings name now, and new calls with its vocabulary."""
    from stream.build import check_models
    from stream.commands.calls import addresses

    settings = load({"home": home})
    check_models(settings)
    os.kill(addresses(settings.home).pid, signal.SIGHUP)
    print(f"asked for {settings.model}; {settings.home / 'logs' / 'listen.log'} says when it is there")


def _announce(**facts: Any) -> None:
    print(msgspec.json.encode(facts).decode(), flush=True)


def _until_told() -> asyncio.Event:
    """An event that SIGINT and SIGTERM set."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def _serve_metrics() -> str:
    from prometheus_client import start_http_server

    server, _ = start_http_server(0, addr="127.0.0.1")
    return f"http://127.0.0.1:{server.server_port}/metrics"


def broker(home: Home = None, port: int | None = None, supervised: Supervised = False) -> None:
    """Run the embedded Kafka-protocol broker."""
    from stream.broker.server import BrokerPolicy, serve

    settings = load({"home": home, "broker_port": port})
    logs.configure(settings.log_level, settings.home / "logs" / "broker.log" if supervised else None)
    _follow_parent(supervised)
    policy = BrokerPolicy(directory=settings.home / "broker", host="127.0.0.1", port=settings.broker_port)
    asyncio.run(serve(policy, ready=lambda port: _announce(broker=f"127.0.0.1:{port}")))


def worker(
    home: Home = None,
    broker: Annotated[str | None, typer.Option(help="host:port,... of the Kafka cluster.")] = None,
    role: Annotated[Literal["listen", "assist", "all"], typer.Option(help="Audio to events, events to help.")] = "all",
    supervised: Supervised = False,
) -> None:
    """Run one worker, or one of each role."""
    settings = load({"home": home, "broker": broker})
    if role == "all":
        _run_all(settings, supervised)
        return
    logs.configure(settings.log_level, settings.home / "logs" / f"{role}.log" if supervised else None)
    _follow_parent(supervised)
    from stream import app as apps
    from stream import topics

    policy = apps.WorkerPolicy(
        broker=_required_broker(settings),
        directory=settings.home / "workers" / str(os.getpid()),
        partitions=settings.partitions,
        replication=settings.replication,
        session_timeout_s=settings.session_timeout_s,
    )
    asyncio.run(topics.create(policy.broker, partitions=policy.partitions, replication=policy.replication))
    metrics_url = _serve_metrics()
    app = _listen(settings, policy) if role == "listen" else _assist(settings, policy)
    apps.run(app, ready=lambda: _announce(worker=role, metrics=metrics_url))


def _required_broker(settings: Settings) -> str:
    if settings.broker is None:
        raise typer.BadParameter(
            "expected --broker host:port,... or WARMLINE_BROKER, got neither", param_hint="--broker"
        )
    return settings.broker


def _listen(settings: Settings, policy: Any) -> Any:
    from stream import app as apps
    from stream.build import hearing, listen_policy, vad

    def reload() -> Any:
        again = load({"home": settings.home, "broker": settings.broker})
        return hearing(again), listen_policy(again)

    return apps.listen_app(
        policy, hearing=hearing(settings), vad=vad(settings), listening=listen_policy(settings), reload=reload
    )


def _assist(settings: Settings, policy: Any) -> Any:
    from agent_assist.store.callers import Callers
    from agent_assist.store.calls import CallStore
    from agent_assist.store.care import Care
    from agent_assist.store.moods import TextMoods
    from agent_assist.store.outbox import Outbox
    from agent_assist.webhooks.receivers import wanted
    from agent_assist.webhooks.sending import Sender
    from stream import app as apps
    from stream import topics
    from stream.build import knowledge, playbooks, profiles, reader, receivers, recordings, rewriter
    from stream.lookup import Lookup, look_up
    from stream.moods import read_texts
    from stream.record import record as keep_sound

    settings.home.mkdir(parents=True, exist_ok=True)
    told = receivers(settings, os.environ)
    store = CallStore(settings.database_url, wanted(told) if told else None)
    store.upgrade()
    known = profiles(settings, store.engine)
    texts = TextMoods(store.engine)
    sound = recordings(settings)
    lookup = Lookup(knowledge(settings)[1], store.articles_shown)
    within = {"session_timeout_s": settings.session_timeout_s}
    beside: list[apps.Beside] = [
        lambda publish: look_up(policy.broker, lookup, publish, **within),
        lambda _: read_texts(texts, lambda: reader(settings), settings.emotion),
    ]
    if sound is not None:
        beside.append(lambda _: keep_sound(policy.broker, sound, **within))
    if told:
        sender = Sender(Outbox(store.engine), told, chance=random.random)
        beside.append(lambda _: sender.run())
    rewords = rewriter(settings)
    rewrite = None if rewords is None else rewords.rewrite
    return apps.assist_app(
        policy,
        playbooks=playbooks(settings),
        store=store.write,
        customers=lambda told: known.store.take(told, topics.CUSTOMERS.name, datetime.now(UTC)),
        callers=Callers(known, store.engine),
        beside=beside,
        care=Care(store).ended,
        rewrite=rewrite,
    )


def gateway(
    home: Home = None,
    broker: Annotated[str | None, typer.Option(help="host:port,... of the Kafka cluster.")] = None,
    host: str | None = None,
    port: int | None = None,
    media_port: int | None = None,
    supervised: Supervised = False,
) -> None:
    """Run the gateway: telephone media in, the API, the pages and the live channel out."""
    settings = load({"home": home, "broker": broker, "host": host, "port": port, "media_port": media_port})
    logs.configure(settings.log_level, settings.home / "logs" / "gateway.log" if supervised else None)
    _follow_parent(supervised)
    asyncio.run(_gateway(settings))


async def _gateway(settings: Settings) -> None:
    from agent_assist.quality.replay import replay as read_again
    from agent_assist.store.calls import CallStore
    from stream import topics
    from stream.build import assistant, knowledge, playbook, profiles, recordings, routing, scheduler, shelves
    from stream.gateway import GatewayPolicy, serve

    stop = _until_told()
    address = _required_broker(settings)
    await topics.create(address, partitions=settings.partitions, replication=settings.replication)
    settings.home.mkdir(parents=True, exist_ok=True)
    store = CallStore(settings.database_url)
    await asyncio.to_thread(store.upgrade)
    policy = GatewayPolicy(
        broker=address,
        host=settings.host,
        port=settings.port,
        media_port=settings.media_port,
        token=token(settings),
        max_calls=settings.max_calls,
        twilio_auth_token=settings.twilio_auth_token,
        public_url=settings.public_url,
        origins=settings.origins,
        session_timeout_s=settings.session_timeout_s,
    )
    shown = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host  # noqa: S104 - compared, not bound

    def ready(port: int, media_port: int) -> None:
        _announce(api=f"http://{shown}:{port}", twilio=f"ws://{shown}:{media_port}/v1/twilio")

    base, index = knowledge(settings)
    if index.vectors is not None and (count := await asyncio.to_thread(base.stale, index.vectors.name)):
        log.warning("knowledge_by_words_alone", passages=count, remedy="warmline knowledge reindex")
    customers = profiles(settings, store.engine)
    # The assistant is made at the first use: most gateways are never asked for it.
    await serve(
        policy,
        store=store,
        recordings=recordings(settings),
        knowledge=(base, index),
        profiles=customers,
        outreach=scheduler(settings, store.engine, customers),
        routing=routing(settings),
        replay=lambda record, events: read_again(
            record, events, assistant(settings, record.attributes.get("tenant")), index
        ),
        playbook=lambda tenant: playbook(settings, tenant),
        playbooks=shelves(settings),
        ready=ready,
        stop=stop,
    )


def _run_all(settings: Settings, supervised: bool) -> None:
    from stream.supervise import Child, Supervisor

    logs.configure(settings.log_level)
    _follow_parent(supervised)
    _required_broker(settings)
    arguments = ["--home", str(settings.home), "--broker", str(settings.broker), "--supervised"]
    children = [Child(role, ["worker", "--role", role, *arguments]) for role in ("listen", "assist")]

    async def run() -> None:
        stop = _until_told()
        supervisor = Supervisor([children], lambda child, what: log.info("child", child=child.name, what=what))
        await _supervise(supervisor, stop, lambda: _announce(worker="all"))

    asyncio.run(run())


async def _supervise(supervisor: Any, stop: asyncio.Event, ready: Any) -> None:
    """Start, say so, keep, and stop when told; a failure to start stops what has started."""
    starting = asyncio.create_task(supervisor.start())
    waiting = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            return
        await starting
        ready()
        keeping = asyncio.create_task(supervisor.keep())
        await asyncio.wait({keeping, waiting}, return_when=asyncio.FIRST_COMPLETED)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    finally:
        starting.cancel()
        waiting.cancel()
        await asyncio.gather(starting, waiting, return_exceptions=True)
        await supervisor.stop()


@contextmanager
def _only_one(home: Path) -> Generator[None]:
    """Two programs must not write the same home."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StreamError(f"expected no other warmline to use {home}, got one that is running") from error
        yield


def up(
    home: Home = None,
    port: Annotated[int | None, typer.Option(help="Of the API and the pages; 0 takes a free one.")] = None,
    broker: Annotated[str | None, typer.Option(help="host:port,... of a Kafka cluster instead of ours.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; loopback by default.")] = None,
    play: Annotated[
        list[Path] | None, typer.Option(help="Play this recording as a live call once ready; may be repeated.")
    ] = None,
    json: Json = False,
) -> None:
    """Run everything on this machine: broker, workers, gateway."""
    settings = load({"home": home, "port": port, "broker": broker, "host": host})
    logs.configure(settings.log_level, settings.home / "logs" / "up.log")
    console = Console(stderr=json)
    with _only_one(settings.home):
        asyncio.run(_up(settings, console, json, play or []))


async def _up(settings: Settings, console: Console, json: bool, play: Sequence[Path]) -> None:
    from stream.build import check_models, outreach, receivers
    from stream.supervise import Child, Supervisor, check_free, free_port

    stop = _until_told()
    started = time.monotonic()
    check_models(settings)
    receivers(settings, os.environ)
    outreach(settings)
    port = settings.port or free_port(settings.host)
    media_port = settings.media_port or (port + 1 if settings.port else free_port(settings.host))
    check_free(settings.host, port, "API and the pages")
    check_free(settings.host, media_port, "telephony doors")
    stages: list[list[Child]] = []
    home = ["--home", str(settings.home), "--supervised"]
    address = settings.broker
    if address is None:
        broker_port = settings.broker_port or free_port("127.0.0.1")
        check_free("127.0.0.1", broker_port, "embedded broker")
        address = f"127.0.0.1:{broker_port}"
        stages.append([Child("broker", ["broker", "--port", str(broker_port), *home])])
    on = ["--broker", address, *home]
    listen = Child("listen", ["worker", "--role", "listen", *on])
    assist = Child("assist", ["worker", "--role", "assist", *on])
    ports = ["--host", settings.host, "--port", str(port), "--media-port", str(media_port)]
    web = Child("gateway", ["gateway", *ports, *on])
    stages.append([assist, listen, web])
    secret = token(settings)
    playing: list[asyncio.Task[None]] = []

    def ready() -> None:
        addresses = Addresses(
            overlay=f"{web.ready['api']}/overlay#token={secret}",
            api=web.ready["api"],
            twilio=web.ready["twilio"],
            broker=address,
            token=secret,
            metrics={"gateway": f"{web.ready['api']}/metrics"}
            | {child.name: child.ready["metrics"] for child in (listen, assist)},
            pid=os.getpid(),
        )
        line = msgspec.json.encode(addresses)
        path = settings.home / "run.json"
        path.touch(mode=0o600)
        path.write_bytes(line)
        if json:
            print(line.decode(), flush=True)
        else:
            _tell(console, addresses, settings, time.monotonic() - started)
        playing.extend(asyncio.create_task(_play(path, addresses, console)) for path in play)

    def changed(child: Child, what: str) -> None:
        console.print(f"[dim]{child.name}: {what}[/dim]")

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, listen.send, signal.SIGHUP)
    try:
        await _supervise(Supervisor(stages, changed), stop, ready)
    finally:
        for task in playing:
            task.cancel()
        await asyncio.gather(*playing, return_exceptions=True)
        (settings.home / "run.json").unlink(missing_ok=True)
    console.print("[dim]stopped[/dim]")


def _tell(console: Console, addresses: Addresses, settings: Settings, seconds: float) -> None:
    console.print(f"Warmline is ready after {seconds:.0f} s.\n", highlight=False)
    calls = addresses.overlay.replace("/overlay", "/")
    for name, value in (
        ("Overlay", addresses.overlay),
        ("Calls", calls),
        ("Twilio door", addresses.twilio),
        ("Broker", addresses.broker),
        ("Logs", str(settings.home / "logs")),
    ):
        console.print(f"  {name:<12} {value}", highlight=False, soft_wrap=True)
    console.print("\nCtrl-C stops it.", highlight=False)


async def _play(path: Path, addresses: Addresses, console: Console) -> None:
    from stream.commands.calls import play_file

    try:
        call_id = await play_file(path, addresses.twilio, addresses.token)
    except (StreamError, OSError) as error:
        console.print(f"[red]{path.name} could not be played: {error}[/red]")
    else:
        console.print(f"[dim]{path.name} was played as call {call_id}[/dim]")
