"""The small shell, script by script: the same table is held against a real busybox where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess
from contextlib import suppress

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.cri.api import CriError
from tests.cri.harness import NGINX, Bell, simulated_node, split

SCRIPTS = [
    ("echo hello", "hello\n", 0),
    ("echo a; echo b", "a\nb\n", 0),
    ("echo a && false || echo c", "a\nc\n", 0),
    ("true && exit 3", "", 3),
    ("! true; echo $?", "1\n", 0),
    ("if true; then echo yes; else echo no; fi", "yes\n", 0),
    ("if false; then echo 1; elif true; then echo 2; fi", "2\n", 0),
    ("for i in 1 2 3; do echo $i; done", "1\n2\n3\n", 0),
    ("for i in 1 2 3; do if [ $i = 2 ]; then continue; fi; echo $i; done", "1\n3\n", 0),
    ("while true; do echo once; break; done", "once\n", 0),
    ("i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done", "0\n1\n2\n", 0),
    ("i=3; until [ $i -eq 0 ]; do i=$((i - 1)); done; echo $i", "0\n", 0),
    ("A=1 B=2; echo $A${B}", "12\n", 0),
    ("echo ${MISSING:-default} ${MISSING:+set}", "default\n", 0),
    ("X=word; echo ${#X}", "4\n", 0),
    ("echo '$HOME' \"a  b\" a  b", "$HOME a  b a b\n", 0),
    ('echo "it\'s $((2 + 3 * 4))"', "it's 14\n", 0),
    ("echo $(echo inner; echo two) `echo ticks`", "inner two ticks\n", 0),
    ("echo b; (echo a; exit 4); echo $?", "b\na\n4\n", 0),
    ("X=1; (X=2; echo $X); echo $X", "2\n1\n", 0),
    ("{ echo a; echo b; } | head -n 1", "a\n", 0),
    ("printf '%s=%d\\n' a 1 b 2", "a=1\nb=2\n", 0),
    ("echo x > /tmp/k8slab-f; echo y >> /tmp/k8slab-f; cat < /tmp/k8slab-f; rm /tmp/k8slab-f", "x\ny\n", 0),
    ("echo lost > /dev/null; echo err >&2; echo out", "out\n", 0),
    ("echo both 2>&1 | cat", "both\n", 0),
    ("ls /nonexistent 2>/dev/null; echo $?", "1\n", 0),
    ("cd /tmp && pwd", "/tmp\n", 0),
    ("set -e; false; echo never", "", 1),
    ("set -e; if false; then echo; fi; echo on", "on\n", 0),
    ("trap 'echo bye' EXIT; echo hi", "hi\nbye\n", 0),
    ("exec echo replaced; echo never", "replaced\n", 0),
    ("export A=5; sh -c 'echo $A'", "5\n", 0),
    ("A=5; sh -c 'echo [$A]'", "[]\n", 0),
    ("A=6 sh -c 'echo $A'", "6\n", 0),
    ("sh -c 'echo $0 $1 $#' name one two", "name one 2\n", 0),
    ("echo a b | read X Y; echo done", "done\n", 0),
    ("seq 3 | tail -n 1", "3\n", 0),
    ("printf 'a\\nb\\nab\\n' | grep -c a", "2\n", 0),
    ("[ -n x ] && [ ! -f /nonexistent ] && test 2 -gt 1 && echo all", "all\n", 0),
    ("nosuchcommand; echo $?", "127\n", 0),
    ("exit 300", "", 44),
    ("# a comment\necho a # more\n\necho b", "a\nb\n", 0),
    ("echo a \\\n  b", "a b\n", 0),
    ("if true", "", 2),
    ("echo 'open", "", 2),
]


@pytest.mark.parametrize(("script", "output", "code"), SCRIPTS)
def test_a_script(simulated, script, output, code):
    result = simulated.runtime.exec_sync(simulated.shell("sleep 1000"), ("sh", "-c", script), 10)
    assert (result.stdout.decode(), result.exit_code) == (output, code)


@pytest.mark.skipif(shutil.which("busybox") is None, reason="no busybox to compare with")
@pytest.mark.parametrize(("script", "output", "code"), SCRIPTS)
def test_busybox_agrees(script, output, code):
    done = subprocess.run(["busybox", "sh", "-c", script], capture_output=True, text=True, timeout=10, check=False)
    assert (done.stdout, done.returncode) == (output, code)


PIECES = """echo a@if@then@fi@while@do@done@for i in a b@;@&&@||@|@&@(@)@{@}@$(@`@$((@))@'@"@$x@${x:-@>@<@2>&1@\\@#@!@*@-@0@[@]
exit 1@break@continue@true@cd /tmp@x=1@grep a@grep (@head -n@kill 1@test@-eq@printf %d@sleep@trap x TERM@read x@seq@date +%@cat@ls
tail -f@wc@exec@wait@export@set -e@curl@wget http://[@rm -r@touch@mkdir /tmp/x@tee f@ps@cat /dev/termination-log@unset@hostname -i
""".replace("\n", "@").split("@")


@settings(max_examples=300)
@given(st.lists(st.sampled_from([*PIECES, "\n"]), max_size=12).map(" ".join))
def test_no_script_breaks_the_shell(script):
    node = simulated_node()
    container = node.shell("sleep 1000")
    with suppress(CriError):
        result = node.runtime.exec_sync(container, ("sh", "-c", script), 5)
        assert 0 <= result.exit_code <= 255
        assert b"failed in the simulation" not in result.stderr


def test_errors_are_in_ashs_words(simulated):
    container = simulated.shell("sleep 1000")

    def error(script: str) -> str:
        return simulated.runtime.exec_sync(container, ("sh", "-c", script), 10).stderr.decode()

    assert error("nosuch") == "sh: nosuch: not found\n"
    assert error("cat /nosuch") == "cat: can't open '/nosuch': No such file or directory\n"
    assert error("echo $((1/0))") == "sh: divide by zero\n"
    assert error("if true") == 'sh: syntax error: unexpected end of file (expecting "then")\n'


def test_sleep_sleeps_on_the_virtual_clock(simulated):
    ended = simulated.ended(simulated.shell("sleep 0.5; sleep 2"))
    assert ended.finished_at == ended.started_at + 2.5


def test_a_loop_without_a_sleep_lets_time_pass(simulated):
    container = simulated.shell("i=0; while true; do i=$((i+1)); echo $i; done")
    simulated.wait(3)
    assert 300 < len(simulated.output(container).splitlines()) < 500


def test_the_liveness_tutorials_container(simulated):
    container = simulated.shell("touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600")
    probe = ("cat", "/tmp/healthy")
    assert simulated.runtime.exec_sync(container, probe, 1).exit_code == 0
    simulated.wait(31)
    assert simulated.runtime.exec_sync(container, probe, 1).exit_code == 1


def test_the_logging_tutorials_counter(simulated):
    container = simulated.shell('i=0; while true; do echo "$i: $(date)"; i=$((i+1)); sleep 1; done')
    simulated.wait(2)
    assert [line.split(":")[0] for line in simulated.output(container).splitlines()] == ["0", "1", "2"]


# At the terminal.


def dialogue(node, *keys: bytes, command: tuple[str, ...] = ("sh",), image: str = "") -> str:
    container = node.start(image=image) if image else node.shell("sleep 1000")
    stream = node.runtime.exec(container, command, stdin=True, tty=True, wake=Bell())
    for key in keys:
        stream.send(0, key)
    out, _, _ = split(stream.poll())
    return out.decode()


def test_the_prompt_and_the_echo(simulated):
    assert dialogue(simulated, b"pwd\r") == "/ # pwd\r\n/\r\n/ # "


def test_bash_has_a_prompt_of_its_own(simulated):
    out = dialogue(simulated, b"exit\r", command=("bash",), image=NGINX)
    assert re.match(r"root@pod-\d+:/# exit\r\n", out)


def test_backspace_takes_a_letter_back(simulated):
    assert "ab\r\n" in dialogue(simulated, b"echo ax\x7fb\r")


def test_control_c_interrupts_and_the_shell_goes_on(simulated):
    out = dialogue(simulated, b"sleep 100\r", b"\x03", b"echo $?\r")
    assert out.endswith("^C\r\n/ # echo $?\r\n130\r\n/ # ")


def test_control_d_ends_the_shell(simulated):
    stream = simulated.runtime.exec(simulated.shell("sleep 1000"), ("sh",), stdin=True, tty=True, wake=Bell())
    stream.send(0, b"\x04")
    assert orjson.loads(stream.poll()[-1][1])["status"] == "Success"


def test_a_command_may_take_several_lines(simulated):
    assert "> done\r\n1\r\n2\r\n" in dialogue(simulated, b"for i in 1 2\rdo echo $i\rdone\r")
