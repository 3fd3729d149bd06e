"""``tobs render``: notes again from the archive, in another layout if asked for; nothing is asked of Telegram."""
