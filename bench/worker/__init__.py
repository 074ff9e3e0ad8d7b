"""Run one trial in a process of its own.

It reads a task as one JSON document, and writes events and a report as JSON.
"""
