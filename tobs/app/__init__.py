"""The composition root: the only package that knows every other and puts the parts of a request together.

One module a family of requests; ``execute`` finds the handler of a request. Packages that are slow to import (Telethon
takes a third of a second) are imported by the functions that need them, so that ``tobs --help`` and ``tobs config
show`` answer at once.
"""
