"""What a country code is (ISO 3166-1 alpha-2): nothing else may become part of a path or an address."""

import re
from typing import Final

_CODE: Final = re.compile("[A-Z]{2}")


def is_country_code(text: str) -> bool:
    """Tell whether a text is two capital letters, be they a country's or not."""
    return _CODE.fullmatch(text) is not None
