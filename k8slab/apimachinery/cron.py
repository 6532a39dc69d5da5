"""Cron schedules: five fields, a name such as `@hourly`, or `@every 90s`.

A schedule is five sets of numbers; its next time is found by walking forward from a moment, in a time zone, by days, hours and
minutes, until all five agree. An hour that summer time skips has no times; one that it repeats has them twice. Where both the
day of the month and the day of the week are restricted, either will do.

Models: github.com/robfig/cron/v3 (parser.go, spec.go), whose sentences these are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from math import floor

DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
HORIZON = 5 * 366 * 86400
"""Seconds that are searched; a schedule that has no time in five years has none."""
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    (0, 6, {name: number for number, name in enumerate(_DAYS)}),
)
"""Minute, hour, day of the month, month, day of the week: least, greatest, names."""
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}


@dataclass(frozen=True)
class Schedule:
    """Moments in time."""

    minutes: frozenset[int] = frozenset()
    hours: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    any_day: bool = False
    """Whether the day of the month or of the week is a star: then both must agree."""
    every: float = 0.0
    """Seconds between two, for `@every`."""

    def next(self, after: float, zone: tzinfo = UTC) -> float | None:
        """The first moment after `after` (seconds since the Unix epoch); None if there is none for years."""
        if self.every:
            return floor(after) + self.every
        when = floor(after / 60) * 60.0 + 60
        while when <= after + HORIZON:
            local = datetime.fromtimestamp(when, zone)
            if local.month not in self.months or not self._is_day(local):
                midnight = datetime(local.year, local.month, local.day, tzinfo=zone) + timedelta(days=1)
                when = max(when + 60, midnight.timestamp())
            elif local.hour not in self.hours:
                when += 3600 - local.minute * 60
            elif local.minute not in self.minutes:
                when += 60
            else:
                return when
        return None

    def _is_day(self, local: datetime) -> bool:
        day, weekday = local.day in self.days, local.isoweekday() % 7 in self.weekdays
        return (day and weekday) if self.any_day else (day or weekday)


def parse_cron(schedule: str) -> Schedule:
    """What a text means. Raises ValueError, which says what is wrong with it."""
    if schedule.startswith("@every "):
        return Schedule(every=_duration(schedule[7:].strip(), schedule))
    if schedule.startswith("@"):
        if schedule not in DESCRIPTORS:
            raise ValueError(f"unrecognized descriptor: {schedule}")
        schedule = DESCRIPTORS[schedule]
    fields = schedule.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
    minutes, hours, days, months, weekdays = (
        frozenset[int]().union(*(_part(part, *limits) for part in text.split(",")))
        for text, limits in zip(fields, _FIELDS, strict=True)
    )
    starred = any(part in ("*", "?", "*/1", "?/1") for field in (fields[2], fields[4]) for part in field.split(","))
    return Schedule(minutes, hours, days, months, weekdays, any_day=starred)


def cron_fault(schedule: str) -> str:
    """What is wrong with a schedule; empty if nothing is."""
    try:
        parse_cron(schedule)
    except ValueError as fault:
        return str(fault)
    return ""


def _part(part: str, least: int, greatest: int, names: dict[str, int]) -> frozenset[int]:
    """One part of a list: `*`, `5`, `1-5`, `*/15`, `5/15`. Raises ValueError."""
    span, *steps = part.split("/")
    ends = span.split("-")
    if len(steps) > 1:
        raise ValueError(f"too many slashes: {part}")
    if ends[0] in ("*", "?"):
        first, last = least, greatest
    else:
        if len(ends) > 2:
            raise ValueError(f"too many hyphens: {part}")
        first = _number(ends[0], names)
        # A single number with a step means: from there to the end.
        last = _number(ends[1], names) if len(ends) == 2 else greatest if steps else first
    step = _number(steps[0], {}) if steps else 1
    if first < least:
        raise ValueError(f"beginning of range ({first}) below minimum ({least}): {part}")
    if last > greatest:
        raise ValueError(f"end of range ({last}) above maximum ({greatest}): {part}")
    if first > last:
        raise ValueError(f"beginning of range ({first}) beyond end of range ({last}): {part}")
    if step == 0:
        raise ValueError(f"step of range should be a positive number: {part}")
    return frozenset(range(first, last + 1, step))


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)


def _duration(text: str, whole: str) -> float:
    """Seconds in `1h30m`; at least one, and whole ones."""
    rest, total = text, 0.0
    try:
        while rest:
            digits = len(rest) - len(rest.lstrip("0123456789."))
            total += float(rest[:digits]) * _UNITS[rest[digits : digits + 1]]
            rest = rest[digits + 1 :]
        if not text:
            raise ValueError
    except (ValueError, KeyError):
        raise ValueError(f'failed to parse duration {whole}: time: invalid duration "{text}"') from None
    return max(1.0, float(floor(total)))
