"""Who may see a database: our own pages ask what Datasette would ask before it shows a table of it, on 0.65 and 1.0."""

from __future__ import annotations

from typing import Any


async def may_see(datasette: Any, actor: Any, database: str) -> bool:
    """Whether this reader may see the database, by the `allow` blocks and permission plugins of this Datasette."""
    if hasattr(datasette, "permission_allowed"):  # 0.65: the nearest word that is said decides
        for action, resource in (("view-database", database), ("view-instance", None)):
            said = await datasette.permission_allowed(actor, action, resource, default=None)
            if said is not None:
                return bool(said)
        return True
    from datasette.resources import DatabaseResource

    allowed: bool = await datasette.allowed(
        action="view-database", resource=DatabaseResource(database=database), actor=actor
    )
    return allowed
