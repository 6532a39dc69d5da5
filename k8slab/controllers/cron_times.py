"""When a CronJob's next Job is due, as pure functions.

A controller that slept has missed times. It makes up for the last of them only, and says so when there were very many.

Models: pkg/controller/cronjob/utils.go (mostRecentScheduleTime, nextScheduleTimeDuration).
"""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

from k8slab.api.batch import CronJob
from k8slab.apimachinery.cron import Schedule
from k8slab.clock import from_rfc3339

TOO_MANY = 100
"""Missed times about which it complains."""


class Due(NamedTuple):
    """What a look at the clock says."""

    when: float | None
    """The last time that has passed without a Job; None if there is none."""
    missed: int
    """How many have passed."""


def zone_of(cron: CronJob) -> tzinfo:
    """The time zone in which the schedule is meant. Raises KeyError, a ZoneInfoNotFoundError, or ValueError."""
    return ZoneInfo(cron.spec.time_zone) if cron.spec.time_zone else UTC


def due(cron: CronJob, schedule: Schedule, zone: tzinfo, now: float) -> Due:
    """The last time since the last Job, or since the CronJob was made, that has come."""
    since = _earliest(cron)
    deadline = cron.spec.starting_deadline_seconds
    if deadline is not None:
        since = max(since, now - deadline)
    first = schedule.next(since, zone)
    if first is None or first > now:
        return Due(None, 0)
    second = schedule.next(first, zone)
    if second is None or second > now:
        return Due(first, 1)
    missed = int((now - first) // (second - first)) + 1
    # Most schedules are regular: begin to look a little before the last one.
    when, ahead = first, schedule.next(first + max(0, missed - 2) * (second - first) - 1, zone)
    while ahead is not None and ahead <= now:
        when, ahead = ahead, schedule.next(ahead, zone)
    return Due(when, missed)


def _earliest(cron: CronJob) -> float:
    return from_rfc3339(cron.status.last_schedule_time or cron.metadata.creation_timestamp)
