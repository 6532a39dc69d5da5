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
from rich.table import Table

from k8slab.cli import lives
from k8slab.cli.detached import READY, DetachedFailed, start_detached
from k8slab.cli.profile import Profile, ProfileError, profiles
from k8slab.cli.words import again, command, console, errors, next_steps, say
from k8slab.client.kubeconfig import KubeconfigError, check_context
from k8slab.etcd.kinds import KINDS
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

RUNTIMES = ("auto", "simulated", "docker")

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
    config = lives.config_for(profile, nodes, runtime, port, kubeconfig, mirrors, store)
    config.audit_log = str(audit_log.expanduser().absolute()) if audit_log is not None else config.audit_log
    check_context(Path(config.kubeconfig), name)
    if detach:
        profile.make()
        profile.save(config)
        start_detached(profile, say)
    else:
        # Imported here: whoever only asks for help should not wait for the engine.
        from k8slab.cli.serve import serve

        def tell(text: str) -> None:
            next_steps(name, config) if text == READY else say(text)

        serve(profile, config, tell, _stop_on_signals())
        say(f"Stopped. Start it {again(config)}: {command('start', name)}")
        return
    next_steps(name, config)


@app.command()
def stop(name: Name = "lab") -> None:
    """Stop a cluster. Its objects stay, for the next start."""
    profile = Profile(name)
    config = profile.config()
    if not lives.stop(profile):
        console.print(f"The cluster {name!r} does not run.")
        return
    console.print(f"Stopped {name!r}. Start it {again(config)}: {command('start', name)}")


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
        lives.delete(profile)
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

    url = dashboard_url(lives.running(name), port)
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
    lives.running(name)
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
