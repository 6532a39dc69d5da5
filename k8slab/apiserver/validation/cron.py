"""Whether a text is a cron schedule: five fields, or a name such as `@hourly`.

Models: github.com/robfig/cron/v3 (parser.go, spec.go), whose sentences these are.
"""

from __future__ import annotations

DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
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


def cron_fault(schedule: str) -> str:
    """What is wrong with a schedule; empty if nothing is."""
    if schedule.startswith("@"):
        if schedule in DESCRIPTORS or (schedule.startswith("@every ") and schedule[7:].strip()):
            return ""
        return f"unrecognized descriptor: {schedule}"
    fields = schedule.split()
    if len(fields) != len(_FIELDS):
        return f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
    for text, (least, greatest, names) in zip(fields, _FIELDS, strict=True):
        for part in text.split(","):
            try:
                _check(part, least, greatest, names)
            except ValueError as fault:
                return str(fault)
    return ""


def _check(part: str, least: int, greatest: int, names: dict[str, int]) -> None:
    """One part of a list: `*`, `5`, `1-5`, `*/15`. Raises ValueError."""
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
        last = _number(ends[1], names) if len(ends) == 2 else first
    step = _number(steps[0], {}) if steps else 1
    if first < least:
        raise ValueError(f"beginning of range ({first}) below minimum ({least}): {part}")
    if last > greatest:
        raise ValueError(f"end of range ({last}) above maximum ({greatest}): {part}")
    if first > last:
        raise ValueError(f"beginning of range ({first}) beyond end of range ({last}): {part}")
    if step == 0:
        raise ValueError(f"step of range should be a positive number: {part}")


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)
