"""How many requests leave at once: adds one a round, halves at a sign of a crowd, stands still when told to."""

import asyncio
import time

import pytest

from generators.pacing import Pace


def paced(main, **settings):
    """Run ``main(pace)`` in a loop."""

    async def run():
        pace = Pace(**{"most": 8, "stop": asyncio.Event(), **settings})
        return await asyncio.wait_for(main(pace), 10)

    return asyncio.run(run())


def test_starts_at_the_most_halves_once_a_round_trip_and_never_falls_below_one():
    async def main(pace):
        assert pace.limit == 8
        sent = time.monotonic()
        for _ in range(5):  # five requests of one round trip meet the same crowd
            pace.ease(sent)
        assert pace.limit == 4
        for expected in (2, 1, 1, 1):
            await asyncio.sleep(0.001)
            pace.ease(time.monotonic())
            assert pace.limit == expected

    paced(main)


def test_adds_one_for_each_round_of_replies_up_to_the_most():
    async def main(pace):
        for _ in range(3):
            await asyncio.sleep(0.001)
            pace.ease(time.monotonic())
        replies = []
        for limit in range(2, 9):
            count = 0
            while pace.limit < limit:
                pace.grow()
                count += 1
            replies.append(count)
        assert all(n - 1 <= count <= n + 1 for n, count in enumerate(replies, 1))
        for _ in range(100):
            pace.grow()
        assert pace.limit == 8

    paced(main)


async def in_flight(pace, count, seconds=0.02):
    """Let so many through; the most that were inside at once."""
    inside, most = 0, 0

    async def one():
        nonlocal inside, most
        assert await pace.enter()
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(seconds)
        inside -= 1
        pace.leave()

    await asyncio.gather(*(one() for _ in range(count)))
    return most


@pytest.mark.parametrize("most", [1, 3, 8])
def test_no_more_enter_than_the_limit_and_nobody_is_forgotten(most):
    assert paced(lambda pace: in_flight(pace, 40, 0.001), most=most) == most


def test_the_first_goes_alone():
    async def main(pace):
        assert pace.limit == 1
        entered = [asyncio.create_task(pace.enter()) for _ in range(5)]
        await asyncio.sleep(0.01)
        assert sum(task.done() for task in entered) == 1
        pace.leave()
        await asyncio.sleep(0.01)
        assert all(task.done() for task in entered)

    paced(main, first_alone=True)


def test_a_pause_holds_all_back_and_the_latest_counts():
    async def main(pace):
        started = time.monotonic()
        pace.pause_until(started + 0.2)
        pace.pause_until(started + 0.1)
        moments = []

        async def one():
            await pace.enter()
            moments.append(time.monotonic() - started)
            pace.leave()

        await asyncio.gather(*(one() for _ in range(20)))
        assert len(moments) == 20
        assert min(moments) >= 0.2

    paced(main)


@pytest.mark.parametrize("way", ["halt", "stop"])
def test_halting_wakes_whoever_waits(way):
    async def main(pace):
        heeding = asyncio.create_task(pace.heed_stop())
        assert await pace.enter()
        pace.pause_until(time.monotonic() + 100)
        waiting = [asyncio.create_task(pace.enter()) for _ in range(12)]
        resting = asyncio.create_task(pace.rest(100))
        await asyncio.sleep(0.01)
        pace.halt() if way == "halt" else pace.stop.set()
        assert await asyncio.gather(*waiting) == [False] * 12
        await resting
        assert (pace.halted, await pace.enter()) == (True, False)
        heeding.cancel()

    paced(main)


def test_a_waiter_that_is_cancelled_holds_up_nobody():
    async def main(pace):
        assert await pace.enter()
        first, second = (asyncio.create_task(pace.enter()) for _ in range(2))
        await asyncio.sleep(0.01)
        first.cancel()
        await asyncio.sleep(0.01)
        pace.leave()
        assert await second

    paced(main, most=1)
