"""The words of the project as frozen dataclasses: cases, results, comparisons, faults. All rooms use them."""
