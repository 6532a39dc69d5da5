from __future__ import annotations

import pytest

from k8slab.lab.drawing.axis import moment, span, ticks


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0, 1, ["0s", "0.2s", "0.4s", "0.6s", "0.8s", "1s"]),
        (0, 42, ["0s", "10s", "20s", "30s", "40s"]),
        (0, 300, ["0s", "1m", "2m", "3m", "4m", "5m"]),
        (0, 7200, ["0s", "30m", "1h", "1h30m", "2h"]),
        (-5, 5, ["-4s", "-2s", "0s", "2s", "4s"]),
        (0, 864000, ["0s", "2d", "4d", "6d", "8d", "10d"]),
    ],
)
def test_ticks_stand_at_times_that_people_count_in(low, high, labels):
    assert [span(each) for each in ticks(low, high, 6)] == labels


def test_spans_have_two_units_at_most():
    assert [span(each) for each in (0, 0.25, 2.3, 59.9999, 60, 90, 3600, 3900, 183600)] == [
        "0s",
        "0.25s",
        "2.3s",
        "1m",
        "1m",
        "1m30s",
        "1h",
        "1h5m",
        "2d3h",
    ]


def test_moments_have_a_sign_and_a_decimal():
    assert [moment(each) for each in (0, 12.25, -3, -0.0001, 312)] == ["+0.0s", "+12.25s", "-3.0s", "+0.0s", "+312.0s"]
