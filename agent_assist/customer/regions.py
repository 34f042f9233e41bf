"""How to speak with people of a region: a file of wordings (``regions.yaml``)."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, Literal

import msgspec

from agent_assist.errors import CustomerTableError

REGIONS: Final = Path(__file__).parent / "regions.yaml"
Words = Mapping[Literal["zh", "en"], str]


@cache
def read_manners(path: Path = REGIONS) -> Mapping[str, Words]:
    """
    Wordings by region, as ``agent_assist.customer.preferences.in_words_of`` takes them.

    Raises:
        CustomerTableError: If the file does not hold them.
    """
    try:
        found = msgspec.yaml.decode(path.read_bytes(), type=dict[str, dict[Literal["zh", "en"], str]])
    except (msgspec.DecodeError, OSError) as error:
        raise CustomerTableError(path.name, "wordings by region", str(error)) from error
    return {"": {}} | found
