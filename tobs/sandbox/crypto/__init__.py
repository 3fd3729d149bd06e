"""Keys, the key exchange and message encryption of MTProto 2.0, seen from the server."""
