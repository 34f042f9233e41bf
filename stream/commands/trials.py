"""``warmline trial``: what came of the trials of what is done of its own accord."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from agent_assist.errors import UnknownTrial
from agent_assist.store.trials import TrialSeen
from models.trials import Difference
from stream.commands.customers import engine
from stream.commands.run import Home, Json
from stream.settings import load

trials = typer.Typer(help="Trials of what is done of its own accord.", no_args_is_help=True)


@trials.callback()
def _trials() -> None:
    """Trials of what is done of its own accord."""


@trials.command()
def show(
    trial_id: Annotated[str, typer.Argument(metavar="ID")],
    at: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%dT%H:%M:%S%z"], help="As of then; with an offset.")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """
    Show what came of a trial: exposed customers, whether the groups may be compared, the difference with its interval.

    Look as often as you like, and end it whenever you like: the interval holds for all looks together.
    """
    from stream.build import profiles, scheduler

    settings = load({"home": home})
    opened = engine(settings)
    clock, _ = scheduler(settings, opened, profiles(settings, opened))
    found = clock.trials.show(trial_id, at or datetime.now(UTC))
    if found is None:
        raise UnknownTrial(trial_id)
    if json:
        print(msgspec.json.encode(found).decode())
    else:
        _print(found)


def _print(seen: TrialSeen) -> None:
    begun = "not begun" if seen.begun_at is None else f"begun {seen.begun_at:%Y-%m-%d}"
    print(f"{seen.trial.id}: {seen.trial.task}, {begun}, as of {seen.at:%Y-%m-%d %H:%M %Z}".rstrip())
    if seen.changed:
        print("  the file sets it otherwise now, which has no effect: give the new one an id of its own")
    for group, share in seen.trial.groups.items():
        print(f"  {group} ({share:.0%}): {seen.exposed[group]} exposed")
    print(f"  {seen.waiting} without an outcome yet, {seen.crossed} in both groups and not counted")
    if seen.why == "mismatch":
        print(f"  NO RESULT: the groups are not of the sizes that were set (p = {seen.ratio_p:.2g})")
        return
    print(f"  sizes of the groups as set (p = {seen.ratio_p:.2g})")
    for one in seen.strata:
        groups = ", ".join(f"{name} {group.mean:.1%} of {group.n}" for name, group in one.groups.items())
        print(f"  {one.stratum or 'customers'}: {groups}{_told(one.difference)}")
    if seen.difference is None:
        print("  too few with an outcome for a difference, or all have the same")
    else:
        print(f"  {seen.trial.treated} against {seen.trial.standard}{_told(seen.difference)}")
    for stage in seen.stages:
        print(f"  rollout {stage.rollout}, stage {stage.stage}: {stage.verdict}")


def _told(of: Difference | None) -> str:
    if of is None:
        return ""
    return f": {of.estimate * 100:+.1f} points ({of.low * 100:+.1f} ... {of.high * 100:+.1f}, {of.level:.0%})"
