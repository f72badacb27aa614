"""The shell that asks: the only place with sockets, and the reader of files that are asked for."""
