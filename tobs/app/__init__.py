"""The composition root: the only room that knows every other and puts a command's parts together.

One module a family of commands. Rooms that are slow to import (Telethon takes a third of a second) are imported by the
functions that need them, so that ``tobs --help`` and ``tobs config show`` answer at once.
"""
