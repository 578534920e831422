"""Our businesses. A new one is a module and a line here."""

from sync.flows import deals, directories, leads
from sync.flows.contract import Flow

FLOWS: dict[str, Flow] = {
    "deals": deals.FLOW,
    "directories": directories.FLOW,
    "leads": leads.FLOW,
}
