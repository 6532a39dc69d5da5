"""Commands that ask about the container, or wait: sleep, date, hostname, env, ps, kill.

k8slab's own, after busybox.
"""

from __future__ import annotations

from datetime import UTC, datetime

from k8slab.clock import parse_duration
from k8slab.cri.process import FOREVER, Call, Program, Steps
from k8slab.cri.programs.arguments import option_letters, plain_words


def sleep(call: Call) -> Steps:
    """`sleep SECONDS`, on the virtual clock."""
    total = 0.0
    for word in call.argv[1:]:
        try:
            total += FOREVER if word in ("infinity", "inf") else parse_duration(word)
        except ValueError:
            call.err(f"sleep: invalid number '{word}'\n")
            return 1
    if len(call.argv) < 2:
        call.err("BusyBox: missing operand\n")
        return 1
    until = call.now + total
    while call.now < until:  # a signal may wake it before its time
        yield until - call.now
        if call.process.wake_at < until:
            break
    return 0


def true(call: Call) -> Steps:
    """Succeeds."""
    return 0
    yield


def false(call: Call) -> Steps:
    """Fails."""
    return 1
    yield


def date(call: Call) -> Steps:
    """`date [-u] [+FORMAT]`, of the cluster's clock."""
    moment = datetime.fromtimestamp(round(call.now, 6), UTC)
    form = next((word[1:] for word in call.argv[1:] if word.startswith("+")), None)
    if form is None:
        form = f"%a %b {moment.day:2d} %H:%M:%S UTC %Y"
    call.out(
        moment.strftime(form.replace("%s", str(int(call.now))).replace("%N", f"{moment.microsecond:06d}000")) + "\n"
    )
    return 0
    yield


def hostname(call: Call) -> Steps:
    """`hostname [-i]`."""
    call.out((call.machine.net.ip if "i" in option_letters(call) else call.machine.hostname) + "\n")
    return 0
    yield


def env(call: Call) -> Steps:
    """The environment."""
    call.out("".join(f"{name}={value}\n" for name, value in call.env.items()))
    return 0
    yield


def printenv(call: Call) -> Steps:
    """`printenv [NAME...]`."""
    if len(call.argv) == 1:
        return (yield from env(call))
    missing = [name for name in call.argv[1:] if name not in call.env]
    call.out("".join(call.env[name] + "\n" for name in call.argv[1:] if name in call.env))
    return int(bool(missing))


def pwd(call: Call) -> Steps:
    """The working directory."""
    call.out(call.cwd + "\n")
    return 0
    yield


def whoami(call: Call) -> Steps:
    """Everybody is root here."""
    call.out("root\n")
    return 0
    yield


def identity(call: Call) -> Steps:
    """`id`."""
    call.out("0\n" if "u" in option_letters(call) else "uid=0(root) gid=0(root) groups=0(root)\n")
    return 0
    yield


def uname(call: Call) -> Steps:
    """`uname [-a]`: says that there is no kernel."""
    call.out(f"Linux {call.machine.hostname} simulated by k8slab\n" if "a" in option_letters(call) else "Linux\n")
    return 0
    yield


def ps(call: Call) -> Steps:
    """What runs in the container."""
    call.out("PID   USER     TIME  COMMAND\n")
    for process in call.machine.processes:
        call.out(f"{process.pid:5d} root      0:00 {' '.join(process.argv)}\n")
    return 0
    yield


def kill(call: Call) -> Steps:
    """`kill [-SIGNAL] PID...`. As in any container, PID 1 is not hurt by a SIGKILL from inside."""
    hard = any(word in ("-9", "-KILL", "-SIGKILL") for word in call.argv[1:])
    for word in plain_words(call):
        victims = [process for process in call.machine.processes if str(process.pid) == word]
        if not victims:
            call.err(f"sh: can't kill pid {word}: No such process\n")
            return 1
        for process in victims:
            if process.pid != 1:
                process.end_at(call.now, 137 if hard else 143)
            elif not hard and process.on_term is not None:
                process.on_term(process, call.now)
    return 0
    yield


COMMANDS: dict[str, Program] = {
    "sleep": sleep,
    "true": true,
    ":": true,
    "false": false,
    "date": date,
    "hostname": hostname,
    "env": env,
    "printenv": printenv,
    "pwd": pwd,
    "whoami": whoami,
    "id": identity,
    "uname": uname,
    "ps": ps,
    "kill": kill,
}
