"""Results for people: the run report and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tobs.config.units import format_size

if TYPE_CHECKING:
    from tobs.model.report import RunReport

#: Console for everything but results; stdout is for what a script reads.
stderr = Console(stderr=True, highlight=False)
stdout = Console(highlight=False)

_MOST_PROBLEMS = 10
_NARROW = 60
_TAKEOUT = {
    "off": "off: the normal API was used",
    "used": "used",
    "late": "used since it was allowed",
    "delayed": "not allowed in time: the normal API was used",
    "refused": "refused: the normal API was used",
    "ended": "ended by Telegram: the normal API was used from there on",
}


def show_report(console: Console, report: RunReport) -> None:
    """Show a run report in a few lines: counts, what recovered, what failed. Of a render only notes are always shown,
    everything else if there is any."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column()
    m, n, f = report.messages, report.notes, report.media
    has_all = report.command != "render"
    messages = _counts(fetched=m.fetched, new=m.new, edited=m.edited, deleted=m.deleted)
    if messages or has_all:
        table.add_row("messages", _joined(messages))
    notes = _counts(created=n.created, updated=n.updated, unchanged=n.unchanged, preserved=n.preserved)
    table.add_row("notes", _joined(notes, _counts(conflicts=n.conflicts, moved=n.moved, deleted=n.deleted)))
    media = _counts(downloaded=f.downloaded, reused=f.reused, failed=f.failed, unavailable=f.unavailable)
    if media or has_all:
        table.add_row("media", _joined(media, format_size(f.bytes) if f.bytes else ""))
    for name, counts in sorted(report.processors.items()):
        line = _counts(done=counts.done, cached=counts.cached, skipped=counts.skipped, failed=counts.failed)
        table.add_row(escape(name), _joined(line))
    waits = _counts(**{"flood wait" if report.flood.waits == 1 else "flood waits": report.flood.waits})
    if report.requests or has_all:
        requests = _joined(f"{report.requests:,}", f"{waits}, {report.flood.seconds:.0f} s" if waits else "")
        table.add_row("requests", requests)
    if report.takeout.state in _TAKEOUT:
        table.add_row("takeout", _TAKEOUT[report.takeout.state])
    console.print(table)
    for plugin in report.plugins:
        # A shipped plugin whose packages are missing is not named at every run: `tobs plugins list` names it.
        if plugin.state == "untrusted":
            console.print(f"[yellow]not run:[/] plugin {escape(plugin.name)}: {escape(plugin.reason)}")
    for doubt in report.doubts[:_MOST_PROBLEMS]:
        console.print(f"[yellow]please check:[/] {escape(doubt.item)}: {escape(doubt.reason)}", soft_wrap=True)
    if len(report.doubts) > _MOST_PROBLEMS:
        console.print(f"[yellow]… and {len(report.doubts) - _MOST_PROBLEMS} more[/], all in the report")
    for remark in report.remarks[:_MOST_PROBLEMS]:
        console.print(f"[dim]note:[/] {escape(remark)}")
    for path in report.exports:
        console.print(f"[dim]exported:[/] {escape(path)}", soft_wrap=True)
    for item in report.recovered:
        console.print(f"[yellow]recovered:[/] {escape(item.what)}" + (f" ({item.times}×)" if item.times > 1 else ""))
    if report.left_out:
        left_out = ", ".join(f"{escape(what)} ({count:,})" for what, count in report.left_out.items())
        console.print(f"[yellow]not imported:[/] {left_out}")
    for conflict in report.conflicts[:_MOST_PROBLEMS]:
        console.print(f"[yellow]conflict:[/] {escape(conflict.note)}: {escape(conflict.new)}")
    if len(report.conflicts) > _MOST_PROBLEMS:
        console.print(f"[yellow]… and {len(report.conflicts) - _MOST_PROBLEMS} more[/], all in the report")
    for problem in report.problems[:_MOST_PROBLEMS]:
        console.print(f"[red]failed:[/] {escape(problem.item)}: {escape(problem.reason)}")
    more = len(report.problems) - _MOST_PROBLEMS
    if more > 0:
        console.print(f"[red]… and {more} more[/], all in the report")


def _counts(**values: int) -> str:
    return " · ".join(f"{value:,} {name}" for name, value in values.items() if value)


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part) or "nothing new"


def show_table(console: Console, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Show a plain table of ``rows``; on a terminal too narrow for it, a line for each value."""
    cells = [["" if value is None else str(value) for value in row] for row in rows]
    wide = sum(max(map(cell_len, column)) + 2 for column in zip(columns, *cells, strict=True))
    if console.width < _NARROW and wide > console.width:
        for first, *rest in cells:
            console.print(escape(first), style="bold")
            for name, value in zip(columns[1:], rest, strict=True):
                if value:
                    console.print(f"  {name}: {escape(value)}")
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in cells:
        table.add_row(*map(escape, row))
    console.print(table)
