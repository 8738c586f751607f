"""host.json's queue options at work, on the listener itself."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import time
import uuid

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue.aio import QueueServiceClient

from local.host.hostjson import QueueOptions
from local.host.invoker import Outcome
from local.host.outputs import Sender
from local.host.queues import QueueListener
from local.host.storage import create_missing


class Counting:
    """A queue client that counts how often it is asked for messages."""

    def __init__(self, queue):
        self._queue = queue
        self.receives = 0

    def receive_messages(self, **options):
        self.receives += 1
        return self._queue.receive_messages(**options)

    def __getattr__(self, name):
        return getattr(self._queue, name)


@pytest.fixture
async def service(azurite):
    async with QueueServiceClient.from_connection_string(azurite.connection_string) as client:
        yield client


class Bed:
    """A queue with a listener on it."""

    def __init__(self, service, handler, *, poisons=True, **options):
        name = f"q{uuid.uuid4().hex}"
        self.options = QueueOptions(**options)
        self.sender = Sender(base64=self.options.base64)
        self.queue = Counting(service.get_queue_client(name))
        self.poison = service.get_queue_client(f"{name}-poison") if poisons else None
        self.listener = QueueListener(
            self.queue,
            self.poison,
            options=self.options,
            sender=self.sender,
            handler=handler,
            receive_visibility=30,
        )

    async def __aenter__(self):
        await create_missing(self.queue.create_queue)
        self.task = asyncio.create_task(self.listener.run())
        return self

    async def __aexit__(self, *_):
        self.listener.stop()
        await asyncio.wait_for(self.task, 10)


async def until(check, within=10.0):
    async with asyncio.timeout(within):
        while not check():  # noqa: ASYNC110 - the state is another client's, with no event
            await asyncio.sleep(0.02)


async def peeked(queue):
    """The contents of a queue's messages, once it has any."""
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(ResourceNotFoundError):
                found = [each.content for each in await queue.peek_messages()]
                if found:
                    return found
            await asyncio.sleep(0.05)


async def test_batch_size_and_new_batch_threshold_bound_what_is_in_hand(service):
    gate, running, peak, done = asyncio.Semaphore(0), 0, 0, 0

    async def handle(_message, _body):
        nonlocal running, peak, done
        running += 1
        peak = max(peak, running)
        await gate.acquire()
        running -= 1
        done += 1
        return Outcome.DONE

    async with Bed(service, handle, batch_size=4, new_batch_threshold=2) as bed:
        for number in range(14):
            await bed.queue.send_message(base64.b64encode(b"%d" % number).decode())
        await until(lambda: running == 4)
        await asyncio.sleep(0.4)
        assert running == 4  # one batch, and over the threshold no other
        gate.release()
        gate.release()
        await until(lambda: running == 6)  # at the threshold: another batch
        for _ in range(14):
            gate.release()
        await until(lambda: done == 14)
        assert peak <= 6


async def test_visibility_timeout_is_the_pause_before_a_retry(service):
    times = []

    async def handle(_message, _body):
        times.append(time.monotonic())
        return Outcome.DONE if len(times) == 2 else Outcome.FAILED

    async with Bed(service, handle, visibility_timeout=2.0, max_polling_interval=0.1) as bed:
        await bed.sender.send(bed.queue, "x")
        await until(lambda: len(times) == 2)
        assert times[1] - times[0] > 1.5  # the service counts whole seconds


async def test_max_polling_interval_bounds_the_pause(service):
    async def handle(_message, _body):
        return Outcome.DONE

    often = Bed(service, handle, max_polling_interval=0.1)
    seldom = Bed(service, handle)
    async with often, seldom:
        await asyncio.sleep(2)
        assert often.queue.receives > 2 * seldom.queue.receives


async def test_own_output_wakes_a_listener_that_would_sleep_for_minutes(service, monkeypatch):
    monkeypatch.setattr("local.host.queues.random.uniform", lambda _low, _high: 1000.0)
    bodies = []

    async def handle(_message, body):
        bodies.append(body)
        return Outcome.DONE

    async with Bed(service, handle, max_polling_interval=600.0) as bed:
        await until(lambda: bed.queue.receives == 2)  # the next pause is 100 s
        await bed.sender.send(bed.queue, "x")
        await until(lambda: bodies == [b"x"])


async def test_message_encoding_none_takes_and_sends_plain_text(service):
    bodies = []

    async def handle(_message, body):
        bodies.append(body.decode())
        return Outcome.DONE

    async with Bed(service, handle, base64=False) as bed:
        await bed.queue.send_message("生の文")
        await bed.sender.send(bed.queue, "送った文")
        await until(lambda: len(bodies) == 2)
        assert sorted(bodies) == sorted(["生の文", "送った文"])


async def test_aborted_message_is_visible_at_once_whatever_the_visibility_timeout(service):
    counts = []

    async def handle(message, _body):
        counts.append(message.dequeue_count)
        return Outcome.ABORTED if len(counts) == 1 else Outcome.DONE

    async with Bed(service, handle, visibility_timeout=60.0, max_polling_interval=0.1) as bed:
        await bed.sender.send(bed.queue, "x")
        await until(lambda: counts == [1, 2], within=5)


async def test_failed_message_of_a_poison_queue_stays_there_hidden(service):
    counts = []

    async def handle(message, _body):
        counts.append(message.dequeue_count)
        return Outcome.FAILED

    async with Bed(service, handle, poisons=False, max_polling_interval=0.1) as bed:
        await bed.sender.send(bed.queue, "x")
        await until(lambda: counts)
        await asyncio.sleep(0.5)
        assert counts == [1]
        properties = await bed.queue.get_queue_properties()
        assert properties.approximate_message_count == 1


async def test_message_that_was_received_too_often_goes_to_poison_and_does_not_run(service):
    runs = []

    async def handle(message, _body):
        runs.append(message.dequeue_count)
        return Outcome.DONE

    bed = Bed(service, handle, max_dequeue_count=2, max_polling_interval=0.1)
    await bed.queue.create_queue()
    await bed.sender.send(bed.queue, "x")
    for _ in range(2):  # received and not settled: a host that was killed
        message = await bed.queue.receive_message()
        await bed.queue.update_message(message, visibility_timeout=0)
    async with bed:
        assert await peeked(bed.poison) == [base64.b64encode(b"x").decode()]
    assert runs == []


async def test_handler_that_raises_counts_as_failed_and_ends_in_poison(service):
    async def handle(_message, _body):
        message = "planted"
        raise RuntimeError(message)

    async with Bed(service, handle, max_dequeue_count=2, max_polling_interval=0.1) as bed:
        await bed.sender.send(bed.queue, "x")
        assert await peeked(bed.poison) == [base64.b64encode(b"x").decode()]
