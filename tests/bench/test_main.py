import importlib
import json

import pytest

from bench import __main__ as driver
from bench.measure import environment, figure, fresh, resident_bytes


@pytest.mark.parametrize("name", driver.BENCHMARKS)
def test_every_benchmark_is_there(name):
    assert callable(getattr(importlib.import_module(f"bench.{driver.BENCHMARKS[name]}"), name))


def test_names_may_be_shortened():
    assert driver._chosen(["start"]) == ["start_stepped", "start_live"]
    assert driver._chosen([]) == list(driver.BENCHMARKS)


def test_an_unknown_name_is_told_what_there_is():
    with pytest.raises(SystemExit, match="no benchmark begins with 'warp'; there are: import_time"):
        driver._chosen(["warp"])


@pytest.mark.parametrize(
    ("name", "value", "met"),
    [("import k8slab", 0.2, True), ("import k8slab", 0.4, False), ("docker pod", None, None),
     ("1,000 Pods to Running", 1_500, True), ("1,000 Pods to Running", 800, False)],
)  # fmt: skip
def test_a_figure_is_held_against_its_target(name, value, met):
    assert driver._target(figure(name, value, "s"))["met"] is met


def test_a_row_shows_the_figure_its_target_and_how_it_was_found():
    each = figure("docker pod", 1.1, "x bare containers", "median of 15")
    row = driver._row(each | driver._target(each))
    assert row.split() == ["docker", "pod", "1.1", "x", "bare", "containers", "≤", "1.2", "met", "median", "of", "15"]


def test_a_benchmark_that_fails_says_why(monkeypatch):
    monkeypatch.setitem(driver.BENCHMARKS, "broken", "no_such_module")
    (found,) = driver._run("broken")
    assert (found["name"], found["value"], found["error"]) == ("broken", None, True)


def test_a_benchmark_runs_in_a_process_of_its_own():
    assert fresh("print(6 * 7)") == 42
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        fresh("1 / 0")


def test_the_environment_names_neither_host_nor_folder():
    import platform

    text = json.dumps(environment())
    assert platform.node() not in text
    assert "/home" not in text
    assert environment()["versions"]["orjson"][0].isdigit()


def test_figures_have_three_digits_and_memory_is_there():
    assert figure("x", 0.123456, "s")["value"] == 0.123
    assert figure("x", 12345.6, "s")["value"] == 12346
    assert resident_bytes() > 2**20
