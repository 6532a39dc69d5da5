"""The `k8slab` command: live clusters in a terminal, minikube's way."""

from __future__ import annotations

import os
import platform
import signal
import sys
import threading
import webbrowser
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from k8slab.cli.detached import READY, DetachedFailed, start_detached
from k8slab.cli.profile import Config, Profile, ProfileError, State, profiles, runs_a_cluster
from k8slab.client.kubeconfig import KubeconfigError, check_context, default_path, remove_context
from k8slab.clock import Stopwatch, sleep_really
from k8slab.etcd.kinds import KINDS, clean_up
from k8slab.loop.kubectl import Kubectl, KubectlNotFound, find_kubectl
from k8slab.version import __version__

app = typer.Typer(
    name="k8slab",
    help="Kubernetes that you can read, run, pause and rewind.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

RUNTIMES = ("auto", "simulated", "docker")
STOP_WITHIN = 30.0

Name = Annotated[str, typer.Option("--name", "-n", help="Which cluster.")]


@app.command()
def start(
    name: Name = "lab",
    nodes: Annotated[int, typer.Option(min=1, max=250, help="How many nodes.")] = 3,
    runtime: Annotated[
        str, typer.Option(help="auto (Docker where it answers), simulated or docker.", metavar="|".join(RUNTIMES))
    ] = "auto",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0: any free one.")] = 0,
    kubeconfig: Annotated[Path | None, typer.Option(help="Put the context into this file instead.")] = None,
    mirrors: Annotated[str, typer.Option(help="Where to pull from: registry.k8s.io=mirror.example/k8s,...")] = "",
    store: Annotated[
        str, typer.Option(help="Where objects are kept: memory, sqlite or etcd (a real one).", metavar="|".join(KINDS))
    ] = "sqlite",
    audit_log: Annotated[Path | None, typer.Option(help="Tell of every request in this file, as JSON lines.")] = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Run in the background.")] = False,
) -> None:
    """Start a cluster: a new one, or a stopped one with all its objects."""
    if runtime not in RUNTIMES:
        raise typer.BadParameter(f"{runtime!r} is none of: {', '.join(RUNTIMES)}", param_hint="--runtime")
    if store not in KINDS:
        raise typer.BadParameter(f"{store!r} is none of: {', '.join(KINDS)}", param_hint="--store")
    profile = Profile(name)
    if state := profile.state():
        raise ProfileError(f"the cluster {name!r} runs already: {state.url} (process {state.pid})")
    config = _config(profile, nodes, runtime, port, kubeconfig, mirrors, store)
    config.audit_log = str(audit_log.expanduser().absolute()) if audit_log is not None else config.audit_log
    check_context(Path(config.kubeconfig), name)
    if detach:
        profile.make()
        profile.save(config)
        start_detached(profile, _say)
    else:
        # Imported here: whoever only asks for help should not wait for the engine.
        from k8slab.cli.serve import serve

        def say(text: str) -> None:
            _next_steps(name, config) if text == READY else _say(text)

        serve(profile, config, say, _stop_on_signals())
        _say(f"Stopped. Start it {_again(config)}: {_command('start', name)}")
        return
    _next_steps(name, config)


@app.command()
def stop(name: Name = "lab") -> None:
    """Stop a cluster. Its objects stay, for the next start."""
    profile = Profile(name)
    config = profile.config()
    if not _stop(profile):
        console.print(f"The cluster {name!r} does not run.")
        return
    console.print(f"Stopped {name!r}. Start it {_again(config)}: {_command('start', name)}")


@app.command()
def delete(
    name: Name = "lab",
    every: Annotated[bool, typer.Option("--all", help="Delete all clusters.")] = False,
) -> None:
    """Remove every trace of a cluster: objects, keys, context, containers."""
    chosen = list(profiles()) if every else [Profile(name)]
    if not every and not chosen[0].path.exists():
        raise ProfileError(f"there is no cluster {name!r}; see: k8slab list")
    for profile in chosen:
        _delete(profile)
        console.print(f"Deleted {profile.name!r}.")
    if not chosen:
        console.print("There is no cluster.")


@app.command()
def status(name: Name = "lab") -> None:
    """Say how a cluster is. The exit code is 0 when it runs, 3 when it is stopped."""
    profile = Profile(name)
    config, state = profile.config(), profile.state()
    rows = {"name": name, "status": "Running" if state else "Stopped"}
    if state:
        rows |= {"url": state.url, "process": str(state.pid)}
    rows |= {"nodes": str(config.nodes), "runtime": config.runtime, "kubeconfig": config.kubeconfig, "context": name}
    if not state:
        rows["log"] = str(profile.log) if profile.log.exists() else "-"
    for key, value in rows.items():
        console.print(f"{key + ':':<12}{value}")
    if state is None:
        raise typer.Exit(3)


@app.command("list")
def list_() -> None:
    """List all clusters."""
    table = Table(box=None, pad_edge=False, header_style="")
    for column in ("NAME", "STATUS", "NODES", "RUNTIME", "URL"):
        table.add_column(column)
    found = list(profiles())
    for profile in found:
        config, state = profile.config(), profile.state()
        table.add_row(
            profile.name,
            "Running" if state else "Stopped",
            str(config.nodes),
            config.runtime,
            state.url if state else "-",
        )
    console.print(table if found else "There is no cluster. Start one: k8slab start")


@app.command()
def dashboard(
    name: Name = "lab",
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it in a browser.")] = True,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0: the one it has.")] = 0,
) -> None:
    """Show a running cluster as a web page: its parts, objects and history, and why they are so."""
    from k8slab.cli.dashboard import dashboard_url

    url = dashboard_url(_running(name), port)
    console.print(url, markup=False)
    if browser and not webbrowser.open(url):
        errors.print("There is no browser here: open the address above in one.")


@app.command()
def play(
    scenario: Annotated[Path, typer.Argument(help="A scenario: a YAML file of commands, faults and expectations.")],
) -> None:
    """Play a scenario on a new cluster in virtual time, and report. The exit code is 1 if something is not as expected."""
    from k8slab.lab.scenario import Scenario

    try:
        played = Scenario.load(scenario).play()
    except ValueError as problem:
        raise ProfileError(str(problem)) from None
    with played:
        console.print(str(played), markup=False)
    if not played.ok:
        raise typer.Exit(1)


@app.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    epilog="Example: k8slab kubectl -- get pods -A",
)
def kubectl(context: typer.Context) -> None:
    """Run kubectl on a cluster: k8slab kubectl [--name lab] -- get pods."""
    name, args = _split_kubectl(context.args)
    _running(name)
    profile = Profile(name)
    tool = Kubectl(profile.path / "kubeconfig", profile.path / "cache")
    os.execve(find_kubectl(), ["kubectl", f"--cache-dir={profile.path / 'cache'}", *args], tool.environment())


@app.command()
def version() -> None:
    """Say which k8slab, Kubernetes, kubectl and Python these are."""
    from k8slab.apiserver.version import GIT_VERSION

    console.print(f"k8slab      {__version__}")
    console.print(f"Kubernetes  {GIT_VERSION}")
    try:
        console.print(f"kubectl     {find_kubectl()}")
    except KubectlNotFound as missing:
        console.print(f"kubectl     {missing}")
    console.print(f"Python      {platform.python_version()}")


@app.command(hidden=True)
def serve_detached(name: str) -> None:
    """The process behind `start --detach`."""
    from k8slab.cli.serve import serve

    profile = Profile(name)
    serve(profile, profile.config(), lambda text: print(text, flush=True), _stop_on_signals())


def main() -> None:
    """The command's entry. A mistake of the user's is one sentence on standard error, and exit code 1."""
    try:
        app()
    except (ProfileError, KubeconfigError, KubectlNotFound, DetachedFailed) as problem:
        errors.print(f"k8slab: {problem}")
        sys.exit(1)
    except (OSError, RuntimeError) as problem:
        errors.print(f"k8slab: {problem}")
        sys.exit(1)


def _config(
    profile: Profile, nodes: int, runtime: str, port: int, kubeconfig: Path | None, mirrors: str, store: str
) -> Config:  # fmt: skip
    """A new cluster's configuration, or a stopped one's: that keeps what it was made as."""
    file = str((kubeconfig or default_path()).expanduser().absolute())
    if not profile.exists:
        return Config(nodes, _resolve(runtime), file, port, mirrors, store)
    config = profile.config()
    if nodes not in (config.nodes, 3) or runtime not in (config.runtime, "auto"):
        raise ProfileError(
            f"the cluster {profile.name!r} has {config.nodes} nodes and the {config.runtime} runtime, and keeps them; "
            f"for others delete it first: {_command('delete', profile.name)}"
        )
    if store not in (config.store, "sqlite"):
        raise ProfileError(
            f"the cluster {profile.name!r} keeps its objects in {config.store}, and goes on to; "
            f"for another store delete it first: {_command('delete', profile.name)}"
        )
    if kubeconfig is not None:
        config.kubeconfig = file
    config.port = port or config.port
    config.mirrors = mirrors or config.mirrors
    return config


def _resolve(runtime: str) -> str:
    if runtime == "simulated":
        return runtime
    from k8slab.cri import docker

    problem = docker.DockerRuntime.available()
    if problem is None:
        return "docker"
    if runtime == "docker":
        raise ProfileError(f"the Docker Engine does not answer: {problem}; or use --runtime simulated")
    return "simulated"


def _running(name: str) -> State:
    """The process of a cluster. Raises ProfileError if it does not run."""
    profile = Profile(name)
    profile.config()
    state = profile.state()
    if state is None:
        raise ProfileError(f"the cluster {name!r} does not run; start it: {_command('start', name)}")
    return state


def _stop(profile: Profile) -> bool:
    state = profile.state()
    if state is None:
        return False
    os.kill(state.pid, signal.SIGTERM)
    watch = Stopwatch()
    while runs_a_cluster(state.pid):
        if watch.elapsed() > STOP_WITHIN:
            raise ProfileError(f"process {state.pid} has not stopped within {STOP_WITHIN:g}s; see {profile.log}")
        sleep_really(0.05)
    return True


def _delete(profile: Profile) -> None:
    _stop(profile)
    kubeconfig = ""
    runtime = ""
    try:
        config = profile.config()
        kubeconfig, runtime = config.kubeconfig, config.runtime
    except ProfileError:
        pass  # a damaged profile can be deleted too
    if kubeconfig:
        remove_context(Path(kubeconfig), profile.name)
    if runtime == "docker":
        from k8slab.cri import docker

        docker.clean_up(profile.name)
    clean_up(profile.path)
    profile.remove()


def _again(config: Config) -> str:
    return "anew" if config.store == "memory" else "again with all its objects"


def _next_steps(name: str, config: Config) -> None:
    own_file = config.kubeconfig != str(default_path().expanduser().absolute())
    prefix = f"KUBECONFIG={config.kubeconfig} " if own_file else ""
    console.print(f"Next:  {prefix}kubectl get nodes        (or: k8slab kubectl -- get nodes)")
    console.print(f"See:   {_command('dashboard', name)}")
    console.print(f"Stop:  {_command('stop', name)}        Remove every trace: {_command('delete', name)}")


def _say(text: str) -> None:
    console.print(f"* {text}", markup=False)


def _command(verb: str, name: str) -> str:
    return f"k8slab {verb}" + ("" if name == "lab" else f" --name {name}")


def _split_kubectl(args: list[str]) -> tuple[str, list[str]]:
    """Our own --name comes before `--`; everything else is kubectl's."""
    name = "lab"
    rest = list(args)
    if len(rest) > 1 and rest[0] in ("--name",):
        name, rest = rest[1], rest[2:]
    elif rest and rest[0].startswith("--name="):
        name, rest = rest[0].partition("=")[2], rest[1:]
    return name, rest[1:] if rest[:1] == ["--"] else rest


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
