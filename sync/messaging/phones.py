"""Phone numbers in one form: E.164, like +79161234567."""

from __future__ import annotations

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from sync.i18n import gettext as _


def normalised(text: str, region: str) -> str:
    """The number in E.164; without a country code it is one of `region` (two letters).

    Raises ValueError with a sentence for whoever wrote it.
    """
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise ValueError(
            _("This is not a phone number. Write it with its country code, for example +7 916 123-45-67.")
        )
    if number.extension:
        raise ValueError(_("A number with an extension cannot be kept: write it without the extension."))
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def beginnings(text: str, region: str) -> list[str]:
    """How numbers in E.164 may begin whose first digits are written like this; nothing without digits.

    In Russia +7916, 7916, 8916 and 916 all may mean +7916.
    """
    digits = "".join(filter(str.isdecimal, text))
    if not digits or text.lstrip().startswith("+"):
        return [f"+{digits}"] if digits else []
    country = f"+{phonenumbers.country_code_for_region(region)}"
    trunk = phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True) or digits
    return [f"+{digits}", country + digits, country + digits.removeprefix(trunk)]
