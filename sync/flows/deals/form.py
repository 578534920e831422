"""How staff edit the options of a route of deals."""

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from sync.flows.deals.options import COMMENT_NAMES
from sync.flows.declarations import OptionField, OptionGroup

COMMENT_WAYS = {
    "none": _("do not carry"),
    "forward": _("source → target"),
    "back": _("target → source"),
    "both": _("both ways"),
}
RECONCILED = {
    "linked": _("changes of deals that travel already"),
    "all": _("changes of all deals of the source, new ones too"),
}

ARRIVED = OptionGroup(
    _("When the deal has arrived"),
    (
        OptionField(
            path=("comment",),
            label=_("Comment on the source card"),
            rows=2,
            help_text=format_lazy(
                _("Written once the deal has arrived; empty: none. It may name {names}."),
                names=", ".join(f"{{{name}}}" for name in COMMENT_NAMES),
            ),
        ),
        OptionField(
            path=("stage",),
            label=_("Stage of the source card"),
            help_text=_(
                "The stage the source card moves to once the deal has arrived, such as C2:UC_MXQPC8; empty: "
                "none."
            ),
        ),
    ),
)
CARRIED = OptionGroup(
    _("What travels with a deal"),
    (
        (
            OptionField(path=("carry", "contacts"), label=_("Contacts")),
            OptionField(path=("carry", "companies"), label=_("Companies")),
            OptionField(path=("carry", "products"), label=_("Products")),
            OptionField(path=("carry", "files"), label=_("Files")),
        ),
        OptionField(path=("carry", "comments"), label=_("Timeline comments"), choices=COMMENT_WAYS),
    ),
)
NOTHING_MISSED = OptionGroup(
    _("So that nothing is missed or doubled"),
    (
        OptionField(
            path=("reconcile",),
            label=_("Look for missed"),
            choices=RECONCILED,
            help_text=_("Where a robot chooses which deals go, leave it at the deals that travel already."),
        ),
        OptionField(
            path=("look_first",),
            label=_("Look on the target before creating"),
            help_text=_(
                "For the time after a restore of an older backup: a deal that is there is linked again."
            ),
        ),
    ),
)
FORM = (ARRIVED, CARRIED, NOTHING_MISSED)
