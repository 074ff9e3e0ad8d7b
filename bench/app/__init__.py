"""Code that commands share: execute a run or a comparison, select cases, preflight, output."""
