"""Write the verdicts of a comparison as JSON."""

import json

from bench.model.json_codec import to_json_value
from bench.stats.verdicts import Overall, Verdicts


def verdicts_to_json(name: str, verdicts: Verdicts, overall: Overall) -> str:
    """Write the verdicts of a run, with ratios as candidate ÷ base, times in seconds, memory in bytes."""
    document = {
        "run": name,
        "ruling": overall,
        **to_json_value(verdicts),
        "failed": {case: len(trials) for case, trials in verdicts.failed.items()},
    }
    return json.dumps(document, indent=1) + "\n"
