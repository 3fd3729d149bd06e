"""Watch: a process that updates a vault on pushes of Telegram, on changes of the vault's files, and at intervals."""
