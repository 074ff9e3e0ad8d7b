"""How a variant is written: as the name of a revision, or as settings with commas between."""

from pathlib import Path
from typing import Final

from bench.config.wording import near, shown
from bench.model.comparison import Variant

_KEYS: Final = ("rev", "path", "python", "requirements")


def variant(text: str) -> Variant:
    """Read a variant such as ``main``, ``rev=main,python=3.13`` or ``requirements=httpx==0.27.2``.

    ``requirements`` may come more than once; of a setting without a name the text is a revision.

    Raises:
        ValueError: it is none, in words that end a message.
    """
    settings: dict[str, list[str]] = {key: [] for key in _KEYS}
    for part in text.split(","):
        key, equals, value = part.strip().partition("=")
        if equals and key not in settings and "," in text:
            raise ValueError(f"has an unknown setting {shown(key)}{near(key, _KEYS)}")
        if not equals and part.strip() in settings:
            raise ValueError(f"has {part.strip()} without a value, such as python=3.13")
        if not equals or key not in settings:
            key, value = "rev", part.strip()
        if not value:
            raise ValueError("has a setting without a value")
        if settings[key] and key != "requirements":
            raise ValueError(f"says {key} twice")
        settings[key].append(value)
    if settings["rev"] and settings["path"]:
        raise ValueError("has a revision and a path; it can be of one of them")
    (rev,), (python,) = settings["rev"] or [""], settings["python"] or [""]
    path = Path(settings["path"][0]) if settings["path"] else None
    return Variant(rev, path, python, tuple(settings["requirements"]))
