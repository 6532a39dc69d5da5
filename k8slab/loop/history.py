"""What happened, as a table: every write that the API server accepted, with its time and its author.

Computed from the server's audit records, so it costs nothing until someone looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from k8slab.apiserver.audit import AuditRecord
from k8slab.clock import to_rfc3339

COLUMNS = ("REVISION", "TIME", "WHO", "VERB", "WHAT")


@dataclass(frozen=True, slots=True)
class Change:
    """One accepted write."""

    revision: int
    time: float
    """Seconds since the epoch, on the cluster's clock."""
    who: str
    """The component's or client's name."""
    verb: str
    what: str
    """`deployments/web`, `pods/web-abc/status`; with the namespace in front unless it is `default`."""

    @classmethod
    def of(cls, record: AuditRecord) -> Change:
        """The change that a record of the audit tells of."""
        parts = [record.namespace] if record.namespace not in ("", "default") and record.plural != "namespaces" else []
        parts += [part for part in (record.plural, record.name, record.subresource) if part]
        return cls(record.revision, record.time, record.user_agent.partition("/")[0], record.verb, "/".join(parts))

    def row(self) -> tuple[str, ...]:
        """The change as the table shows it."""
        return (str(self.revision), to_rfc3339(self.time), self.who, self.verb, self.what)


class History(Sequence[Change]):
    """Changes, oldest first. In a notebook it shows as a table."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self._changes = list(changes)

    def __len__(self) -> int:
        return len(self._changes)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        found = self._changes[index]
        return History(found) if isinstance(index, slice) else found

    def __iter__(self) -> Iterator[Change]:
        return iter(self._changes)

    def of(self, what: str) -> History:
        """The changes whose object's name contains `what`: `history.of("pods/")`, `history.of("web")`."""
        return History([change for change in self._changes if what in change.what])

    def by(self, who: str) -> History:
        """The changes made by someone whose name contains `who`."""
        return History([change for change in self._changes if who in change.who])

    def __repr__(self) -> str:
        rows = [COLUMNS, *(change.row() for change in self._changes)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
        lines = (
            "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
        )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        # Jupyter's own rule aligns each cell to the right; these hold words.
        left = 'style="text-align:left"'
        head = "".join(f'<th scope="col" {left}>{name.title()}</th>' for name in COLUMNS)
        body = "".join(
            "<tr>" + "".join(f"<td {left}>{escape(cell)}</td>" for cell in change.row()) + "</tr>"
            for change in self._changes
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
