"""Idempotent producers: a batch that is sent again is not written again."""

from collections import OrderedDict
from typing import Final

import msgspec

from stream.broker.batch import Batch
from stream.broker.errors import ErrorCode, Refused

_REMEMBERED_BATCHES: Final = 5
"""Clients have at most five requests in flight (max.in.flight.requests.per.connection with idempotence)."""
_REMEMBERED_PRODUCERS: Final = 1_000
"""Of one partition; those that wrote longest ago are forgotten first."""
_SEQUENCES: Final = 1 << 31
"""Sequence numbers wrap round."""


class Sent(msgspec.Struct, frozen=True, array_like=True):
    """A batch that was written."""

    sequence: int
    last_sequence: int
    base: int


class Producer(msgspec.Struct, frozen=True, array_like=True):
    """What one producer wrote last into one partition."""

    producer_id: int
    epoch: int
    sent: list[Sent]


class Producers:
    """Producers of one partition."""

    def __init__(self, known: list[Producer] | None = None) -> None:
        self._known = OrderedDict((producer.producer_id, producer) for producer in known or ())

    def find_duplicate(self, batch: Batch) -> int | None:
        """
        Where the batch already stands.

        Returns:
            Base offset of the first writing; None if the batch is new.

        Raises:
            Refused: If the producer was replaced, or a batch before this one is missing.
        """
        if batch.producer_id < 0:
            return None
        producer = self._known.get(batch.producer_id)
        # A producer that was forgotten may go on where it stands, as in Kafka since 2.5.
        if producer is None:
            return None
        if batch.producer_epoch < producer.epoch:
            raise Refused(ErrorCode.INVALID_PRODUCER_EPOCH, f"epoch {producer.epoch}", f"{batch.producer_epoch}")
        expected = (producer.sent[-1].last_sequence + 1) % _SEQUENCES
        if batch.producer_epoch > producer.epoch:
            expected = 0
        else:
            last = (batch.sequence + batch.last_delta) % _SEQUENCES
            for sent in producer.sent:
                if sent.sequence == batch.sequence and sent.last_sequence == last:
                    return sent.base
        if batch.sequence == expected:
            return None
        behind = (expected - batch.sequence) % _SEQUENCES < _SEQUENCES // 2
        code = ErrorCode.DUPLICATE_SEQUENCE_NUMBER if behind else ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
        raise Refused(code, f"sequence {expected}", f"{batch.sequence}")

    def note(self, batch: Batch, base: int) -> None:
        """Remember a batch that was written at ``base``."""
        if batch.producer_id < 0:
            return
        producer = self._known.pop(batch.producer_id, None)
        before = producer.sent if producer is not None and producer.epoch == batch.producer_epoch else []
        sent = Sent(batch.sequence, (batch.sequence + batch.last_delta) % _SEQUENCES, base)
        self._known[batch.producer_id] = Producer(
            batch.producer_id, batch.producer_epoch, [*before, sent][-_REMEMBERED_BATCHES:]
        )
        if len(self._known) > _REMEMBERED_PRODUCERS:
            self._known.popitem(last=False)

    def snapshot(self) -> list[Producer]:
        return list(self._known.values())
