"""The history in SQLite: the only part that writes it. Tables and views are described in docs/tables.md."""
