"""Selection: chats and messages of a run, from targets, filters and expressions."""
