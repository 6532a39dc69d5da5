"""What the `k8slab` command says, and the commands that it names when it says what to do next."""

from __future__ import annotations

from rich.console import Console

from k8slab.cli.profile import Config
from k8slab.client.kubeconfig import default_path

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """One thing that was done."""
    console.print(f"* {text}", markup=False)


def command(verb: str, name: str) -> str:
    """What to type: `k8slab stop`."""
    return f"k8slab {verb}" + ("" if name == "lab" else f" --name {name}")


def again(config: Config) -> str:
    """How a stopped cluster starts."""
    return "anew" if config.store == "memory" else "again with all its objects"


def next_steps(name: str, config: Config) -> None:
    """What to do with a cluster that runs."""
    own_file = config.kubeconfig != str(default_path().expanduser().absolute())
    prefix = f"KUBECONFIG={config.kubeconfig} " if own_file else ""
    console.print(f"Next:  {prefix}kubectl get nodes        (or: k8slab kubectl -- get nodes)")
    console.print(f"See:   {command('dashboard', name)}")
    console.print(f"Stop:  {command('stop', name)}        Remove every trace: {command('delete', name)}")
