"""One file for each command: parse the options, call the app, print, return an exit code."""
