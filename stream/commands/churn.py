"""The churn model of a business: learned anew from its own outcomes."""

from pathlib import Path
from typing import Annotated

import typer

from stream.errors import StreamError

churn = typer.Typer(help="The model of who leaves.", no_args_is_help=True)


@churn.command()
def refit(
    outcomes: Annotated[Path, typer.Argument(metavar="OUTCOMES.csv", help="Who left; see docs/models/churn.md.")],
    out: Annotated[Path | None, typer.Option(help="Write the model here; without it nothing is written.")] = None,
    name: Annotated[str, typer.Option(help="Of the model; stands in its version.")] = "own",
) -> None:
    """Learn from a business's own outcomes, and print how right that is of customers that were not learned from."""
    from models.additive import write_additive
    from models.training.churn import cross_validated, read_outcomes, told
    from models.training.churn import refit as learned

    try:
        known = read_outcomes(outcomes)
    except ValueError as error:
        raise StreamError(str(error)) from error
    print(told(cross_validated(known)))
    if out is None:
        print("nothing is written; name a file with --out")
        return
    model = learned(known, name)
    write_additive(out, model)
    for term, weight in model.call.items():
        print(f"call, {term}: {weight:.2f} of the weight set by hand")
    print(f"{model.version} in {out}")
