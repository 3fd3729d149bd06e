"""The command line: one module a command; parses, calls app, prints."""

import gc

# What is imported and most of what a run makes stays: looking for garbage at Python's own pace is a tenth of the start.
gc.set_threshold(50_000)
