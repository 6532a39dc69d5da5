from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.apimachinery.cron import cron_fault, parse_cron

NEW_YORK = ZoneInfo("America/New_York")


def following(schedule, after, zone=UTC, count=1):
    when, found = datetime.fromisoformat(after).replace(tzinfo=zone).timestamp(), []
    for _ in range(count):
        when = parse_cron(schedule).next(when, zone)
        found.append(datetime.fromtimestamp(when, zone).strftime("%Y-%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        ("0/15 * * * *", "2012-07-09T14:45", "2012-07-09 15:00"),
        ("0/15 * * * *", "2012-07-09T14:59:59", "2012-07-09 15:00"),
        ("20-35/15 * * * *", "2012-07-09T15:45", "2012-07-09 16:20"),
        ("*/15 * * * *", "2012-12-31T23:59:45", "2013-01-01 00:00"),
        ("0 0 9 apr-oct/2 *", "2012-07-09T23:35", "2012-08-09 00:00"),
        ("0 0 */5 apr,aug,oct mon", "2012-07-09T23:35", "2012-08-01 00:00"),
        ("0 0 1,15 * mon", "2012-07-13T00:00", "2012-07-15 00:00"),
        ("0 0 29 feb ?", "2012-07-09T23:35", "2016-02-29 00:00"),
        ("@hourly", "2026-01-01T00:00", "2026-01-01 01:00"),
        ("@daily", "2026-01-01T00:00", "2026-01-02 00:00"),
        ("@weekly", "2026-01-01T00:00", "2026-01-04 00:00"),
        ("@monthly", "2026-01-01T00:00", "2026-02-01 00:00"),
        ("@yearly", "2026-01-01T00:00", "2027-01-01 00:00"),
        ("@every 1h30m", "2026-01-01T00:00", "2026-01-01 01:30"),
    ],
)
def test_the_next_time(schedule, after, expected):
    assert following(schedule, after) == [expected]


def test_an_hour_that_summer_time_skips_has_no_times():
    assert following("30 2 * * *", "2012-03-10T02:30", NEW_YORK) == ["2012-03-12 02:30"]


def test_an_hour_that_is_repeated_has_its_times_twice():
    assert following("30 1 * * *", "2012-11-04T00:00", NEW_YORK, 3) == [
        "2012-11-04 01:30", "2012-11-04 01:30", "2012-11-05 01:30",
    ]  # fmt: skip


def test_a_zone_whose_hours_are_not_whole():
    assert following("0 9 * * *", "2026-01-01T08:59", ZoneInfo("Asia/Kathmandu")) == ["2026-01-01 09:00"]


def test_a_day_that_never_comes():
    assert parse_cron("0 0 31 feb *").next(0.0) is None


@pytest.mark.parametrize(
    ("schedule", "fault"),
    [
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * * * 7", "end of range (7) above maximum (6): 7"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("@often", "unrecognized descriptor: @often"),
        ("@every soon", 'failed to parse duration @every soon: time: invalid duration "soon"'),
        ("@every ", 'failed to parse duration @every : time: invalid duration ""'),
        ("* * * * *", ""),
    ],
)
def test_what_is_wrong_with_a_schedule(schedule, fault):
    assert cron_fault(schedule) == fault


FIELD = st.sampled_from(["*", "*/2", "1", "1-3"])


@given(st.tuples(FIELD, FIELD, FIELD, FIELD, FIELD), st.integers(0, 2_000_000_000))
def test_the_next_time_is_the_first_minute_that_fits(fields, after):
    schedule = parse_cron(" ".join(fields))
    found = schedule.next(float(after))
    assert found is not None
    assert found > after
    assert found % 60 == 0
    assert schedule.next(found - 1) == found
    assert schedule.next(found - 60) == found
