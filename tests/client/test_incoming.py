import asyncio
import threading

import pytest

from k8slab.client.incoming import Incoming
from tests.eventually import eventually


@pytest.fixture
def loop():
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def started(loop, reading, **options):
    """A buffer that `reading(buffer)` fills."""
    incoming = Incoming(loop, **options)
    loop.call_soon_threadsafe(lambda: incoming.start(reading(incoming)))
    return incoming


def count_to(limit, sent):
    async def reading(incoming):
        for number in range(limit):
            await incoming.put(number)
            sent.append(number)

    return reading


def test_what_is_put_is_polled_in_order(loop):
    incoming, found = started(loop, count_to(10, [])), []
    assert eventually(lambda: found.extend(incoming.poll()) or incoming.closed)
    assert found == list(range(10))


def test_a_full_buffer_stops_the_reader_until_someone_polls(loop):
    sent: list[int] = []
    incoming, found = started(loop, count_to(100, sent), capacity=5), []
    assert eventually(lambda: len(sent) == 5)
    assert eventually(lambda: found.extend(incoming.poll()) or incoming.closed)
    assert found == list(range(100))


def test_a_waker_is_called_for_items_and_for_the_end(loop):
    calls: list[int] = []
    incoming = started(loop, count_to(3, []), wake=lambda: calls.append(1))
    assert eventually(lambda: len(calls) == 4)
    assert incoming.poll() == [0, 1, 2]


def test_a_reader_that_fails_is_an_end_like_any_other(loop):
    async def reading(incoming):
        await incoming.put("last words")
        raise OSError("connection reset")

    incoming = started(loop, reading)
    assert eventually(lambda: incoming._finished)
    assert not incoming.closed
    assert incoming.poll() == ["last words"]
    assert incoming.closed


def test_closing_stops_the_reader(loop):
    sent: list[int] = []
    incoming = started(loop, count_to(100, sent), capacity=5)
    assert eventually(lambda: len(sent) == 5)
    incoming.close()
    incoming.close()
    assert incoming.closed
    assert eventually(lambda: incoming._reader.done())
    assert len(sent) == 5
