"""``warmline pass``: a token for one person, in the place of the gateway's own."""

from typing import Annotated

import msgspec
import typer

from agent_assist.web.passes import MOST_HOURS, Role, issue, lasting
from stream.commands.run import Home, Json
from stream.settings import load, token


def grant(
    role: Annotated[Role, typer.Argument(help="What they are here for.")],
    name: Annotated[str, typer.Argument(help="Of an agent their id, as the telephone side gives it.")] = "",
    hours: Annotated[float, typer.Option(help=f"How long it is good, at most {MOST_HOURS}.")] = 12.0,
    home: Home = None,
    json: Json = False,
) -> None:
    """Make a pass: a token with which somebody sees and does what their role may."""
    try:
        who = lasting(role, name, hours)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    made = issue(token(load({"home": home})), who)
    print(msgspec.json.encode({"token": made, **msgspec.to_builtins(who)}).decode() if json else made)
