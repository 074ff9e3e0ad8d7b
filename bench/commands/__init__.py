"""A thin file a command: parse, call, print, return an exit code. Heavy imports wait for the call."""
