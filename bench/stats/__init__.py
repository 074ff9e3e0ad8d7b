"""Decide by pure functions of values; nothing here reads a clock, a file or a socket.

From a run to a verdict:
    verdicts             run → verdict on each metric, absolute threshold and the whole: the one path
    sequential_test      the verdict on one metric; the only place where a margin is applied
    absolute_thresholds  verdicts on thresholds of the candidate alone, such as p99 < 80 ms
    comparability        which cases two runs share, and why runs cannot be compared
    pairwise             which of several cases of one run is faster, with Holm's correction

From a run to the figures of its tables:
    ranking              which case of a profile is fastest, and which cannot be told from it
    case_summary         one row: elapsed, efficiency, errors
    machine_effect       whether the machines of a cluster agree about the cases
    missing_blocks       cases that discarded trials left with too few blocks
    resource_usage       one row: processor time, memory, phases, and the bottleneck
    metrics              one trial → elapsed, p99, cpu or memory
    scaling              what more workers gain, by strategy: knee, law, crossovers
    scalability_law      the fit of the Universal Scalability Law
    crossover            where one strategy overtakes another

Noise and history:
    noise                a case against itself: spread, drift, spikes
    detectable_effect    the smallest slow-down that so many blocks can show
    history              comparisons over time, and lasting steps in them
    change_points        where the level of a series changes

While a run goes on:
    schedule             the trials that are due, in the order of each block; replays a journal
    retries              which attempt of a trial counts
    run_state            which cases of a run are still due, and when one stops
    comparison_state     which cases of a comparison are still due
    observer             callbacks for progress

Methods that the others share:
    intervals            bounds of medians and other quantiles
    signed_rank          Wilcoxon's test, its bounds and estimate
    rank_sum             the same for samples that share no blocks
    separate_means       a test of two samples that may be differently noisy
    series               autocorrelation, slope, robust spread
"""
