"""The worker: one process that runs every job, many at once, and takes up again what a killed worker left."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast

import django
from django.db import close_old_connections, connections

if TYPE_CHECKING:
    from procrastinate import App, JobContext
    from procrastinate.worker import Worker

log = logging.getLogger("atelier.worker")

CONCURRENCY = int(os.environ.get("ATELIER_WORKER_JOBS", "32"))
HEARTBEAT_SECONDS = 2.0
STALLED_AFTER_SECONDS = 8.0
QUEUES = ["quick", "generate", "train", "inspect"]


def _return_connections(call_next: Callable[[], Any], context: JobContext, worker: Worker) -> Any:
    """Around every job: its thread's database connection goes back to the pool, whatever happened."""
    close_old_connections()
    try:
        return call_next()
    finally:
        connections.close_all()


async def _take_up_stalled(app: App) -> None:
    """Put jobs whose worker no longer gives a sign of life back in the queue, for ever."""
    while True:
        try:
            await _take_up(app)
        except Exception:
            log.exception("looking for stalled jobs failed; trying again")
        await asyncio.sleep(HEARTBEAT_SECONDS)


async def _take_up(app: App) -> None:
    """One round: a job that cannot be put back now (its like waits already, say) holds up no other."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_SECONDS):
        try:
            log.warning("taking up job %s (%s) again", job.id, job.task_name)
            await app.job_manager.retry_job(job)
        except Exception:
            log.exception("job %s could not be taken up; trying again", job.id)


async def _serve() -> None:
    from procrastinate.contrib.django import app
    from procrastinate.contrib.django.django_connector import DjangoConnector

    loop = asyncio.get_running_loop()
    # Sync tasks run in this pool; asyncio's default of cores + 4 would make quick jobs wait behind long ones.
    loop.set_default_executor(ThreadPoolExecutor(CONCURRENCY + 8, thread_name_prefix="job"))
    connector = cast(DjangoConnector, app.connector)
    worker_app = app.with_connector(connector.get_worker_connector())
    async with worker_app.open_async():
        sweeper = asyncio.create_task(_take_up_stalled(worker_app))
        try:
            await worker_app.run_worker_async(
                queues=QUEUES,
                concurrency=CONCURRENCY,
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=STALLED_AFTER_SECONDS,
                shutdown_graceful_timeout=4.0,
                fetch_job_polling_interval=2.0,
                delete_jobs="successful",
                install_signal_handlers=True,
                task_middleware=[_return_connections],
            )
        finally:
            sweeper.cancel()


def main() -> None:
    """Run until told to stop."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atelier.config.settings")
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    django.setup()
    from atelier.workshop.runtime import runtime

    try:
        asyncio.run(_serve())
    finally:
        runtime().close()


if __name__ == "__main__":
    main()
