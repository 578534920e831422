"""RabbitMQ: NestJS's wire format (`wire`), the messages about leads (`leads`), the broker (`connection`)."""

from sync.connectors.types import Connector
from sync.i18n import gettext_noop as _

KIND = "core"
"""The users API at the other end: a portal that sends us messages and is never called."""

CONNECTOR = Connector(
    label=_("users API (RabbitMQ)"),
    entities={"user": _("user")},
    actions={"create": _("created"), "update": _("changed"), "move": _("moved to a stage")},
    only_one=_("there is one users API, and portal “%(slug)s” stands for it"),
    not_a_source=_("a portal of kind core is the source of leads only"),
)
