"""What staff see: a module per screen. Importing the package registers all of them."""

from sync.admin import (
    apikeys,
    budgets,
    coreusers,
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
    "apikeys",
    "budgets",
    "coreusers",
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
