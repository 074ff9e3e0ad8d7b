"""Write the findings of a comparison as a code quality report of GitLab, whose merge requests show them.

The format is that of the artifact ``codequality``: a list of objects with ``description``, ``check_name``,
``fingerprint``, ``severity`` and ``location``.
"""

import json
from hashlib import sha256
from typing import Final, Literal

from bench.model.text import printable
from bench.report.github import findings
from bench.stats.verdicts import Verdicts

_SEVERITIES: Final[dict[Literal["error", "warning"], str]] = {"error": "major", "warning": "minor"}


def code_quality_report(verdicts: Verdicts, config: str) -> str:
    """Write the report; without any finding it is an empty list.

    Args:
        verdicts: of the comparison.
        config: the path of the config, to which GitLab links each finding.
    """
    entries = [
        {
            "description": printable(f"{each.title}: {each.message}"),
            "check_name": "flagbench",
            "fingerprint": sha256(f"{config}\n{each.kind}\n{each.title}".encode()).hexdigest(),
            "severity": _SEVERITIES[each.kind],
            "location": {"path": config, "lines": {"begin": 1}},
        }
        for each in findings(verdicts)
    ]
    return json.dumps(entries, indent=1) + "\n"
