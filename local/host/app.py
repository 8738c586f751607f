"""The host put together: one app folder, its workers, its listeners, its HTTP side."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any

from local.host.blobs import HOSTS, POISON, BlobTriggers, Receipts, trigger_queue
from local.host.functions import Function, load_functions
from local.host.hostjson import HostJson, QueueOptions
from local.host.invoker import Invoker
from local.host.keys import Keys
from local.host.launch import Options
from local.host.outputs import Outputs, Sender
from local.host.queues import Handler, QueueListener, queue_call, queue_handler
from local.host.storage import Storage, host_id
from local.host.timers import TimerListener
from local.host.web import Admin, Web
from local.host.wire import Indexed
from local.host.worker_channel import Worker

log = logging.getLogger("local.host")


class Host:
    """Runs one app until stopped; ``broken`` is set if a listener ends by a fault of the host."""

    def __init__(
        self,
        options: Options,
        settings: Mapping[str, str],
        config: HostJson,
        workers: Sequence[Worker],
    ) -> None:
        self._options = options
        self._settings = settings
        self._json = config
        self._workers = workers
        self._id = host_id(options.appdir, settings)
        self._storage = Storage(settings)
        self._sender = Sender(base64=config.queues.base64)
        outputs = Outputs(self._storage, self._sender)
        self._invoker = Invoker(workers, outputs, config.function_timeout)
        self._functions: dict[str, Function] = {}
        self._listeners: list[QueueListener | TimerListener | BlobTriggers] = []
        self._timers: dict[str, TimerListener] = {}
        self._blobs: BlobTriggers | None = None
        self._web: Web | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._state = "Starting"
        self.broken = asyncio.Event()

    async def start(self, indexed: Iterable[Indexed]) -> tuple[int, int]:
        """Start everything but the workers; the bound port and the number of functions.

        Raises:
            HostRefusedError: the app or its settings ask for what is not done.
            OSError: the port is taken.
        """
        functions = load_functions(indexed, self._settings)
        self._functions = {each.name: each for each in functions}
        enabled = [each for each in functions if not each.disabled]
        self._check_outputs(enabled)
        self._listen(enabled)
        self._web = Web(
            [each for each in enabled if each.trigger.kind == "httptrigger"],
            self._invoker,
            Admin(self._status, self._run_now, self._notify),
            Keys.load(self._settings, enabled=self._options.enable_auth),
            self._json.route_prefix,
        )
        port = await self._web.start(self._options.port)
        for listener in self._listeners:
            self._spawn(listener.run()).add_done_callback(self._listener_over)
        self._state = "Running"
        return port, len(functions)

    async def stop(self) -> None:
        """Take nothing new, give what is in hand time to finish, then end the workers.

        Messages of functions that did not finish become visible at once.
        """
        self._state = "Stopping"
        for listener in self._listeners:
            listener.stop()
        draining: set[asyncio.Task[Any]] = {*self._tasks}
        if self._web is not None:
            draining.add(asyncio.create_task(self._web.stop()))
        if draining:
            await asyncio.wait(draining, timeout=self._options.drain)
        await asyncio.gather(*(each.stop() for each in self._workers), return_exceptions=True)
        pending = {each for each in draining if not each.done()}
        if pending:
            await asyncio.wait(pending, timeout=2)
            for each in pending:
                each.cancel()
        await self._storage.close()

    def _check_outputs(self, functions: list[Function]) -> None:
        """Open every output's connection now: a missing setting is refused at start."""
        for function in functions:
            for binding in function.outputs.values():
                if binding.kind != "http":
                    self._storage.queues(binding.connection)

    def _listen(self, functions: list[Function]) -> None:
        blobs = []
        for function in functions:
            if function.trigger.kind == "queuetrigger":
                self._listen_queue(function)
            elif function.trigger.kind == "timertrigger":
                hosts = self._storage.blobs("AzureWebJobsStorage").get_container_client(HOSTS)
                timer = TimerListener(function, self._invoker, hosts, self._id)
                self._timers[function.name] = timer
                self._listeners.append(timer)
            elif function.trigger.kind == "blobtrigger":
                blobs.append(function)
        if blobs:
            self._listen_blobs(blobs)

    def _listen_queue(self, function: Function) -> None:
        name, connection = function.trigger.text("queueName"), function.trigger.connection
        poison = None if name.endswith("-poison") else f"{name}-poison"
        handler = queue_handler(function, self._invoker)
        self._add_queue(connection, name, poison, self._json.queues, handler)

    def _add_queue(
        self,
        connection: str,
        name: str,
        poison: str | None,
        options: QueueOptions,
        handler: Handler,
    ) -> None:
        queues = self._storage.queues(connection)
        self._listeners.append(
            QueueListener(
                queues.get_queue_client(name),
                None if poison is None else queues.get_queue_client(poison),
                options=options,
                sender=self._sender,
                handler=handler,
                receive_visibility=self._options.receive_visibility,
            )
        )

    def _listen_blobs(self, functions: list[Function]) -> None:
        own = "AzureWebJobsStorage"
        queue = self._storage.queues(own).get_queue_client(trigger_queue(self._id))
        hosts = self._storage.blobs(own).get_container_client(HOSTS)
        for each in functions:
            self._storage.blobs(each.trigger.connection)
        self._blobs = BlobTriggers(
            functions,
            self._storage,
            Receipts(hosts, queue, self._sender, self._id),
            self._invoker,
            poll=self._options.blob_poll,
            parallel=self._json.blob_parallelism,
        )
        self._listeners.append(self._blobs)
        # The threshold of 0 and the missing delay are BlobsOptions' on the platform.
        options = QueueOptions(
            batch_size=min(self._json.blob_parallelism, 32),
            new_batch_threshold=0,
            max_dequeue_count=self._json.poison_blob_threshold,
            max_polling_interval=2.0,
            base64=self._json.queues.base64,
        )
        self._add_queue(own, trigger_queue(self._id), POISON, options, self._blobs.handle)

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _listener_over(self, task: asyncio.Task[Any]) -> None:
        """A host that listens no more must not look alive."""
        if not task.cancelled() and task.exception() is not None:
            log.error("a listener ended: the host stops", exc_info=task.exception())
            self.broken.set()

    def _status(self) -> Mapping[str, Any]:
        counts = self._invoker.counts
        return {
            "id": self._id,
            "state": self._state,
            "version": "local (development host)",
            "inFlight": sum(each.in_flight for each in counts.values()),
            "functions": {
                name: {
                    "trigger": function.trigger.text("type"),
                    "disabled": function.disabled,
                    "success": counts[name].success if name in counts else 0,
                    "failure": counts[name].failure if name in counts else 0,
                    "inFlight": counts[name].in_flight if name in counts else 0,
                }
                for name, function in self._functions.items()
            },
            "workers": [{"pid": each.pid, "restarts": each.restarts} for each in self._workers],
        }

    def _run_now(self, name: str, text: str) -> bool | None:
        """Start a timer or queue function; None if there is none of that name, False if neither."""
        function = self._functions.get(name)
        if function is None:
            return None
        if name in self._timers:
            self._spawn(self._timers[name].call_now())
        elif function.trigger.kind == "queuetrigger":
            self._spawn(self._invoker.call(function, queue_call(text.encode())))
        else:
            return False
        return True

    async def _notify(self, name: str, container: str, blob: str, etag: str) -> bool:
        function = self._functions.get(name)
        if self._blobs is None or function is None or function.id not in self._blobs.functions:
            return False
        await self._blobs.notify(function, container, blob, etag)
        return True
