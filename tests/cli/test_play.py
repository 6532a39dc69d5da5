from __future__ import annotations

from typer.testing import CliRunner

from k8slab.cli.main import app

GOOD = """
name: two Pods
cluster: {nodes: 2}
steps:
- at: 0s
  kubectl: create deployment web --image=nginx --replicas=2
- at: 60s
  expect: {kind: Deployment, name: web, field: status.readyReplicas, equals: 2}
"""


def play(path, code: int) -> str:
    result = CliRunner().invoke(app, ["play", str(path)])
    assert result.exit_code == code, result.output
    return result.output if not result.exception or isinstance(result.exception, SystemExit) else str(result.exception)


def test_a_scenario_is_played_and_reported(tmp_path):
    file = tmp_path / "two.yaml"
    file.write_text(GOOD)
    said = play(file, 0)
    assert said.startswith("two Pods\n")
    assert said.rstrip().endswith("all as it should be")


def test_what_is_not_as_expected_is_the_exit_code(tmp_path):
    file = tmp_path / "three.yaml"
    file.write_text(GOOD.replace("equals: 2", "equals: 3"))
    assert "1 of 2 not as it should be" in play(file, 1)


def test_a_scenario_that_cannot_be_read_is_a_sentence(tmp_path):
    assert "there is no file" in play(tmp_path / "none.yaml", 1)
    file = tmp_path / "broken.yaml"
    file.write_text("steps: [{at: 0s, fault: nothing}]")
    assert "nothing" in play(file, 1)
