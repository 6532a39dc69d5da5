"""Building chapters: from `notebooks/NN_name.py`, which people edit, to `NN_name.ipynb`, which people read.

    python -m k8slab.lab.notebooks [--check] [names]

The source is jupytext's percent format. A build executes it in a fresh kernel and stores the outputs. Two builds give the same
bytes: cell ids are named in the source, or come from it; times, versions and addresses are left out.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

FOLDER = Path("notebooks")
CELL_SECONDS = 300
ANSI = re.compile(r"\x1b\[[0-9;]*m")
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python", "pygments_lexer": "ipython3"}
METADATA = {"kernelspec": KERNEL, "language_info": LANGUAGE}
VIEW = "application/vnd.jupyter.widget-view+json"


def main() -> None:
    """The command. With --check nothing is written, and the exit code is 1 if something would be."""
    parser = argparse.ArgumentParser(description="Build the chapters from their sources.")
    parser.add_argument("--check", action="store_true", help="only say what a build would change")
    parser.add_argument("names", nargs="*", help="chapters, such as 01_hello_cluster (default: all)")
    options = parser.parse_args()
    stale = [source for source in sources(options.names) if not _build_one(source, options.check)]
    if stale and options.check:
        sys.exit("not as built: " + ", ".join(str(source) for source in stale) + "; run: make notebooks")


def sources(names: list[str]) -> list[Path]:
    """The sources of the named chapters, of all if none is named. Exits with a sentence for an unknown name."""
    found = sorted(FOLDER.glob("[0-9][0-9]_*.py"))
    unknown = [name for name in names if not (FOLDER / f"{name}.py").exists()]
    if unknown:
        sys.exit(f"there is no chapter {unknown[0]!r}; there are: {', '.join(path.stem for path in found)}")
    return [path for path in found if not names or path.stem in names]


def build(source: Path) -> str:
    """The notebook of a source, executed, as JSON text."""
    from nbclient import NotebookClient

    notebook = read(source)
    os.environ["PYTHONHASHSEED"], os.environ["TZ"] = "0", "UTC"
    client = NotebookClient(
        notebook, timeout=CELL_SECONDS, kernel_name="python3", record_timing=False, store_widget_state=False,
        resources={"metadata": {"path": str(source.parent)}},
    )  # fmt: skip
    client.execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [_cleaned(output) for output in _joined(cell.outputs)]
    # The kernel has written its own version into it.
    notebook.metadata = dict(METADATA)
    return as_text(notebook)


def read(source: Path) -> Any:
    """A source as a notebook, with stable cell ids and no outputs."""
    import jupytext  # type: ignore[import-untyped]

    notebook = jupytext.read(source, fmt="py:percent")
    for cell in notebook.cells:
        cell.id = cell.metadata.pop("id", None) or _id_of(cell)
        cell.metadata.pop("lines_to_next_cell", None)
    notebook.metadata = dict(METADATA)
    return notebook


def as_text(notebook: Any) -> str:
    """A notebook as JSON text, the same bytes each time."""
    return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _build_one(source: Path, check: bool) -> bool:
    """Build one chapter; whether it was up to date."""
    target = source.with_suffix(".ipynb")
    text = build(source)
    same = target.exists() and target.read_text() == text
    if not same and not check:
        target.write_text(text)
    print(f"{source}: {'up to date' if same else 'differs' if check else 'built'}")
    return same


def _id_of(cell: Any) -> str:
    """A cell's id, from what it says: stable, and free of chance."""
    return hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]


def _joined(outputs: list[Any]) -> list[Any]:
    """Neighbouring pieces of one stream are one: how they were cut is chance."""
    found: list[Any] = []
    for output in outputs:
        last = found[-1] if found else None
        if last is not None and output.output_type == "stream" == last.output_type and output.name == last.name:
            last.text += output.text
        else:
            found.append(output)
    return found


def _cleaned(output: Any) -> Any:
    if output.output_type == "stream":
        output.text = ANSI.sub("", output.text)
    elif output.output_type == "error":
        output.traceback = [ANSI.sub("", line) for line in output.traceback]
    else:
        output.data.pop(VIEW, None)
    return output


if __name__ == "__main__":
    main()
