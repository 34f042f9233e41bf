"""How many may wait at the doors without having said who they are."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

from audio.telephony.sink import MediaPolicy


class WaitingRoom:
    """Connections that have no stream yet."""

    def __init__(self, policy: MediaPolicy) -> None:
        self._policy = policy
        self._waiting: Counter[str] = Counter()
        """By address; none is kept at 0."""

    def has_room(self, address: str) -> bool:
        """Whether another connection of this address may come in."""
        if self._waiting.total() >= self._policy.max_waiting:
            return False
        shared = address in self._policy.shared_addresses
        return shared or self._waiting[address] < self._policy.max_waiting_per_address

    @contextmanager
    def seat(self, address: str) -> Generator[None]:
        """Counts a connection while it waits."""
        self._waiting[address] += 1
        try:
            yield
        finally:
            self._waiting[address] -= 1
            self._waiting += Counter()
