"""Cases, results, comparisons, faults and planned delays as frozen values. Standard library only."""
