"""Transport: sessions, connections, the invoker with its layers, flood waits, and TL answers."""
