"""The Content-Security-Policy: browsers load only what comes from us. Nothing depends on the environment.
https://developer.mozilla.org/docs/Web/HTTP/Guides/CSP
"""

from typing import Any

from csp.constants import NONE, SELF

CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [SELF],  # scripts and styles in the page itself are refused, too
        "img-src": [SELF, "data:"],  # icons in the style sheets of the API's description
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
