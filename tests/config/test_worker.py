"""The worker takes up what a killed worker left."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from atelier.config.worker import _take_up


class Jobs:
    """A job manager with three jobs that nobody works on; the second cannot be put back now."""

    def __init__(self) -> None:
        self.retried: list[int] = []

    async def get_stalled_jobs(self, **_bounds: float) -> list[Any]:
        return [SimpleNamespace(id=number, task_name="a.task") for number in (1, 2, 3)]

    async def retry_job(self, job: Any) -> None:
        if job.id == 2:
            raise RuntimeError("a job with this queueing lock waits already")
        self.retried.append(job.id)


async def test_a_job_that_cannot_be_taken_up_now_holds_up_no_other() -> None:
    jobs = Jobs()
    await _take_up(SimpleNamespace(job_manager=jobs))  # type: ignore[arg-type]
    assert jobs.retried == [1, 3]
