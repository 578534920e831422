"""What an answer of Bitrix24 can mean for us: a handful of kinds that the table of codes chooses from."""

from dataclasses import dataclass

from sync.errors import NeedsStaff, OutcomeUnknown, PortalAway, Refused, SyncError, Throttled, TryLater
from sync.i18n import gettext_noop


@dataclass(frozen=True)
class VendorErrorKind:
    """Which error to raise and what to tell staff (in English; whoever raises it translates).

    `after`: seconds to wait when the portal does not say. `is_about_method`: only that method is blocked.
    """

    error: type[SyncError]
    advice: str = ""
    after: float | None = None
    is_portal_wide: bool = False
    is_about_method: bool = False


# --- the clock helps --------------------------------------------------------------------------------
TOO_FAST = VendorErrorKind(
    Throttled, gettext_noop("The portal's request limit; we go on in a moment."), after=2
)
BLOCKED_BY_LIMITS = VendorErrorKind(
    Throttled,
    gettext_noop("The portal blocked this method for a while; we go on by ourselves."),
    after=60,
    is_about_method=True,
)
OVERLOADED = VendorErrorKind(
    Throttled,
    gettext_noop(
        "Bitrix24 blocked REST for this portal. If it lasts, write to Bitrix24 support; the queue "
        "waits meanwhile."
    ),
    after=900,
    is_portal_wide=True,
)
MAY_HAVE_RUN = VendorErrorKind(
    OutcomeUnknown, gettext_noop("It may or may not have run; we look before we repeat.")
)
DID_NOT_RUN = VendorErrorKind(
    PortalAway,
    gettext_noop(
        "Something before the portal refused us; if it lasts, ask Bitrix24 support whether our "
        "address is blocked."
    ),
    after=300,
    is_portal_wide=True,
)
CANNOT_REACH_ITS_OWN = VendorErrorKind(
    PortalAway,
    gettext_noop("The portal cannot reach its own authorisation server; we try again."),
    after=60,
    is_portal_wide=True,
)
TOKEN_IS_OLD = VendorErrorKind(
    TryLater,
    gettext_noop("The access token must be refreshed; the call is repeated after that."),
    after=30,
    is_portal_wide=True,
)

# --- a person helps ---------------------------------------------------------------------------------
CHECK_THE_KEY = VendorErrorKind(
    NeedsStaff,
    gettext_noop(
        "The portal does not accept our key: make a new incoming webhook there and put its address "
        "into the portal's settings here."
    ),
    is_portal_wide=True,
)
CHECK_THE_ADDRESS = VendorErrorKind(
    NeedsStaff,
    gettext_noop(
        "There is no REST API at this address: compare the portal's webhook address here with the one"
        " the portal shows."
    ),
    is_portal_wide=True,
)
CHECK_THE_METHOD = VendorErrorKind(
    NeedsStaff,
    gettext_noop(
        "The portal does not know this method: compare the webhook address with the one the portal "
        "shows (user number and code) and give the webhook the missing permissions."
    ),
)
GIVE_THE_RIGHT = VendorErrorKind(
    NeedsStaff,
    gettext_noop(
        "Give the webhook's owner the missing right in the portal (CRM permissions), then press Retry."
    ),
)
GIVE_THE_SCOPE = VendorErrorKind(
    NeedsStaff, gettext_noop("Add the missing permission to the webhook in the portal, then press Retry.")
)
CHECK_THE_OWNER = VendorErrorKind(
    NeedsStaff,
    gettext_noop(
        "The webhook's owner may not use REST any more (dismissed, extranet, no access): make the "
        "webhook anew under a working employee."
    ),
    is_portal_wide=True,
)
USE_AN_APPLICATION = VendorErrorKind(
    NeedsStaff, gettext_noop("This method is closed to webhooks; it needs a local application of the portal.")
)
CONFIRM_IN_PORTAL = VendorErrorKind(
    NeedsStaff,
    gettext_noop("The portal's administrator must confirm this call in the portal, then press Retry."),
)
RENEW_THE_PLAN = VendorErrorKind(
    NeedsStaff,
    gettext_noop(
        "REST is closed on this portal's plan: renew the plan or the Marketplace subscription in the portal."
    ),
    is_portal_wide=True,
)
RAISE_THE_PLAN = VendorErrorKind(
    NeedsStaff, gettext_noop("The portal's plan does not allow this; change the plan, then press Retry.")
)
USE_HTTPS = VendorErrorKind(
    NeedsStaff,
    gettext_noop("Put the webhook address with https:// into the portal's settings here."),
    is_portal_wide=True,
)
PORTAL_IS_GONE = VendorErrorKind(
    NeedsStaff,
    gettext_noop("The portal was deleted or closed; pause its routes or enter another portal."),
    is_portal_wide=True,
)
INSTALL_THE_APPLICATION = VendorErrorKind(
    NeedsStaff,
    gettext_noop("Install the application in the portal again and authorise it here."),
    is_portal_wide=True,
)

# --- nothing helps but another record ---------------------------------------------------------------
REFUSED_BY_PORTAL = VendorErrorKind(Refused)
FILL_THE_FIELD = VendorErrorKind(
    Refused, gettext_noop("Map this field on the route, or make it optional in the portal, then press Retry.")
)
IS_GONE = VendorErrorKind(
    Refused, gettext_noop("The record was deleted, or the webhook's owner may not see it.")
)
