"""Our businesses: a new one is a folder and a line here (docs/adding-a-flow.md)."""

from sync.flows import deals, directories, leads
from sync.flows.contract import Flow
from sync.flows.declarations import JobKind, Text

FLOWS: dict[str, Flow] = {
    deals.NAME: deals.FLOW,
    directories.NAME: directories.FLOW,
    leads.NAME: leads.FLOW,
}


def step_label(name: str) -> Text:
    """A step as staff read it; no two flows share the name of a step."""
    return next((flow.steps[name].label for flow in FLOWS.values() if name in flow.steps), name)


def job_kind(name: str) -> JobKind:
    """A kind of job as staff read it; no two flows share the name of one."""
    return next((flow.kinds[name] for flow in FLOWS.values() if name in flow.kinds), JobKind(label=name))
