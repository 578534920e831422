"""What staff see: a module per screen. Importing the package registers all of them."""

from sync.admin import (
    budgets,
    directories,
    events,
    jobs,
    links,
    messages,
    portals,
    routes,
    schedules,
    workers,
)

__all__ = [
    "budgets",
    "directories",
    "events",
    "jobs",
    "links",
    "messages",
    "portals",
    "routes",
    "schedules",
    "workers",
]
