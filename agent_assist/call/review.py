"""What a call was like, from its record."""

from collections.abc import Collection

import msgspec

from agent_assist.call.acknowledge import acknowledgements, greeted_by_name
from agent_assist.call.care import exposure
from agent_assist.call.fields import REQUIRED, Field, known_of
from agent_assist.call.recollect import recollection
from agent_assist.types import CallRecord, CallReview


def review(record: CallRecord, *, required: Collection[Field] = REQUIRED) -> CallReview:
    """
    Review a call that is over.

    Args:
        required: Fields that must be verified on every call.
    """
    # A name that was found out in the call is none that the agent could have known from the start.
    picked = record.caller is not None and record.caller.by != ""
    name = None if picked else record.customer_name
    return CallReview(
        recollection=recollection(
            record.utterances,
            record.duration_ms,
            known=known_of(record.attributes, name),
            required=required,
        ),
        exposure=exposure(record.utterances),
        acknowledgements=acknowledgements(record.utterances),
        greeted_by_name=greeted_by_name(record.utterances, name),
    )


def reviewed(record: CallRecord) -> CallRecord:
    """The record with its review; as it is while the call runs."""
    return record if record.status == "live" else msgspec.structs.replace(record, review=review(record))
