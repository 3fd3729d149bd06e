"""``tobs verify``: archive, notes, links and attachments held against each other, and mended where that can be.

`checks` look and change nothing, `mend` is a run like any other, `run` puts both together: what a second look no longer
finds was mended.
"""
