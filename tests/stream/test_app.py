"""What we changed in Faust, whose own behaviour loses messages."""

import pytest
from mode.utils.queues import FlowControlEvent, FlowControlQueue

from stream.app import _Flow


@pytest.mark.parametrize(("flow", "left"), [(FlowControlEvent(), 0), (_Flow(), 1)], ids=["faust", "ours"])
async def test_resuming_what_flows_keeps_what_waits_in_the_queues(flow: FlowControlEvent, left: int) -> None:
    queue: FlowControlQueue[str] = FlowControlQueue(flow_control=flow, clear_on_resume=True)
    flow.resume()
    await queue.put("read, not yet handled")
    flow.resume()
    assert queue.qsize() == left


async def test_what_was_read_before_a_rebalance_is_thrown_away() -> None:
    flow = _Flow()
    queue: FlowControlQueue[str] = FlowControlQueue(flow_control=flow, clear_on_resume=True)
    flow.resume()
    await queue.put("of a partition that is no longer ours")
    flow.suspend()
    flow.resume()
    assert queue.empty()
