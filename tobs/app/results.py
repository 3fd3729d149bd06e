"""Results of requests: the types that the command line shows and other programs get as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tobs.model.report import RunReport

if TYPE_CHECKING:
    from tobs.app.backup import RestoredBackup
    from tobs.app.render import TemplateCheck
    from tobs.archive import BackupFacts, UndoableRun
    from tobs.pipeline.commands.estimate import ChatEstimate, CommentsEstimate, MediaEstimate, Plan
    from tobs.pipeline.commands.import_preview import ImportPlan
    from tobs.pipeline.commands.verify_checks import Verification
    from tobs.pipeline.context.events import RunEvents
    from tobs.pipeline.context.report import ReportBuilder
    from tobs.pipeline.watch.status import WatchStatus
    from tobs.plugin.catalogue import PluginInfo
    from tobs.plugin.testing import Trial

__all__ = [
    "BackupFacts",
    "ChatEstimate",
    "CommentsEstimate",
    "ImportPlan",
    "MediaEstimate",
    "Plan",
    "PluginInfo",
    "ReportBuilder",
    "RestoredBackup",
    "RunEvents",
    "RunReport",
    "TemplateCheck",
    "Trial",
    "UndoableRun",
    "Verification",
    "WatchStatus",
]
