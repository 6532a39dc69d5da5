"""A fault as somebody asks for it: whether there is such a one, and whether it can happen.

What can be known beforehand is told here, before anything is broken: what was asked, and what there is.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from k8slab.engine.faults.table import FAULTS
from k8slab.mistake import Mistake

if TYPE_CHECKING:
    from k8slab.engine.engine import Engine
    from k8slab.engine.inputs import Fault


def arguments_of(engine: Engine | None, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a fault, in form, with defaults. Raises ValueError, which says what there is.

    `engine` None: it is not known yet which components and nodes there will be.
    """
    kind = FAULTS.get(name)
    if kind is None:
        raise Mistake(f"unknown fault {name!r}; there are: {', '.join(FAULTS)}")
    known = {argument.name: argument for argument in kind.arguments}
    if unknown := [each for each in given if each not in known]:
        raise Mistake(f"the fault {name!r} takes no {unknown[0]!r}; it takes: {', '.join(known)}")
    found = {}
    for argument in kind.arguments:
        value = given.get(argument.name, argument.default)
        choices = sorted(argument.choices(engine)) if argument.choices and engine is not None else None
        if value is None:
            among = f", one of: {', '.join(choices)}" if choices else ""
            raise Mistake(f"the fault {name!r} needs {argument.name}=...{among}")
        try:
            value = argument.read(value)
        except (TypeError, ValueError) as wrong:
            raise Mistake(f"the fault {name!r} cannot take {argument.name}={value!r}: {wrong}") from None
        if choices is not None and value not in choices:
            there_are = ", ".join(choices) or "none"
            raise Mistake(f"unknown {argument.name} {value!r}; there are: {there_are}")
        found[argument.name] = value
    return found


def fault_id(name: str, arguments: Mapping[str, Any]) -> str:
    """What a fault that has begun is called: by its name and its subject, which is the first argument.

    The same fault of one subject is one fault, however bad: to begin it again is to change it, and to end it ends it.
    """
    subject = FAULTS[name].arguments[0].name
    return f"{name} {subject}={arguments[subject]}"


def check_fault(engine: Engine, fault: Fault) -> None:
    """Whether a fault can begin, or end. Raises ValueError, which says what there is."""
    arguments = arguments_of(engine, fault.name, fault.arguments)
    if arguments != dict(fault.arguments):
        raise Mistake(f"the fault {fault.name!r} needs all of its arguments in form: {arguments}")
    if fault.ends and FAULTS[fault.name].end is None:
        raise Mistake(f"the fault {fault.name!r} happens once: there is nothing to end")
