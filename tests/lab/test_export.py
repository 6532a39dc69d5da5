"""The trace as a file of JSON lines, and back."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab import Cluster
from k8slab.clock import EPOCH
from k8slab.lab.export import from_rfc3339_nano, read_json_lines, to_json_lines, to_rfc3339_nano
from k8slab.lab.records import KINDS, Record
from tests.lab.worlds import create

HEADER = b'{"format":"k8slab-trace","version":1}\n'
CENTURY = st.floats(min_value=978_307_200.0, max_value=4_102_444_800.0)


@pytest.fixture(scope="module")
def cluster():
    with Cluster(nodes=1, seed=1) as cluster:
        create(cluster, "web", 1)
        cluster.run_for("30s")
        yield cluster


def written(rows) -> bytes:
    file = io.BytesIO()
    to_json_lines(rows, file)
    return file.getvalue()


def test_what_is_read_back_is_equal(cluster, tmp_path):
    path = tmp_path / "trace.jsonl"
    assert to_json_lines(cluster.trace, path) == len(cluster.trace)
    assert list(read_json_lines(path)) == list(cluster.trace)


@given(
    st.lists(
        st.builds(
            Record,
            number=st.integers(1, 2**40),
            kind=st.sampled_from(KINDS),
            time=CENTURY,
            step=st.integers(0, 2**40),
            what=st.text(),
            revision=st.integers(0, 2**40),
            read=st.integers(0, 2**40),
            code=st.integers(0, 599),
            text=st.text(),
            causes=st.lists(st.integers(1, 2**40), max_size=3).map(tuple),
        ),
        max_size=5,
    )
)
def test_so_is_any_other_record(rows):
    assert list(read_json_lines(io.BytesIO(written(rows)))) == rows


@given(CENTURY)
def test_nanoseconds_tell_all_floats_of_the_century_apart(when):
    assert from_rfc3339_nano(to_rfc3339_nano(when)) == when


@pytest.mark.parametrize(
    ("when", "text"),
    [
        (EPOCH, "2026-01-01T00:00:00Z"),
        (EPOCH + 1.25, "2026-01-01T00:00:01.25Z"),
        (EPOCH - 2**-22, "2025-12-31T23:59:59.999999762Z"),
    ],
)
def test_a_time_has_the_decimals_that_it_needs(when, text):
    assert to_rfc3339_nano(when) == text


def test_the_first_line_says_what_it_is_and_each_further_one_is_a_record(cluster):
    header, first, second, *_ = written(cluster.trace).splitlines(keepends=True)
    assert header == HEADER
    assert first == (
        b'{"number":1,"kind":"command","time":"2026-01-01T00:00:00Z","step":0,"component":"k8slab",'
        b'"text":"the cluster is made"}\n'
    )
    fields = list(json.loads(second))
    assert fields == [name for name in Record._fields if name in fields]


def test_the_same_life_is_the_same_file(cluster):
    with Cluster(nodes=1, seed=1) as again:
        create(again, "web", 1)
        again.run_for("30s")
        assert written(again.trace) == written(cluster.trace)


def test_it_streams_to_and_from_what_is_open_and_leaves_it_open(cluster):
    file = io.BytesIO()
    assert to_json_lines((record for record in cluster.records(kind="commit")), file) == len(
        cluster.records(kind="commit")
    )
    file.seek(0)
    rows = read_json_lines(file)
    assert next(rows) == cluster.records(kind="commit")[0]
    rows.close()
    assert not file.closed


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "this is no exported trace: its first line should say so"),
        (b"number,kind\n", "this is no exported trace"),
        (b"[1]\n", "this is no exported trace"),
        (b'{"format":"k8slab-trace","version":2}\n', r"written by a newer k8slab \(version 2 of the format\)"),
        (HEADER + b'{"number":1,', "line 2 of the trace is damaged"),
        (HEADER + b'{"number":1,"kind":"work","time":"yesterday","step":0}\n', "line 2 of the trace is damaged: .*yesterday"),
        (HEADER + b'{"number":1,"kind":"work","time":"2026-01-01T00:00:00Z"}\n', "line 2 of the trace is damaged: .*step"),
        (HEADER + b"7\n", "line 2 of the trace is damaged"),
    ],
)  # fmt: skip
def test_what_is_no_trace_is_refused_in_a_sentence(content, says):
    with pytest.raises(ValueError, match=says):
        list(read_json_lines(io.BytesIO(content)))
