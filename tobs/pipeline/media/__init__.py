"""Media of messages: downloaded, processed and attached to the vault."""
