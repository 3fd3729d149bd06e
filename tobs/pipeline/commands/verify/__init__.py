"""``tobs verify``: check the archive, notes, links and attachments against each other, and repair them.

`checks` changes nothing; `run` has the check, the repair (a run like any other), and the comparison of two checks: a
fault that the second one does not find was repaired.
"""
