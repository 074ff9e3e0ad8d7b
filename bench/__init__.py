"""flagbench: which way of making many HTTP downloads at once is best, and has it become slower?"""

__version__ = "0.1.0"
