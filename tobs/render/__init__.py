"""The render room: model structs to Markdown text. Pure: no files, no network, no clock, no environment."""
