"""A WeChat for benchmarks: quick, scripted, in a process of its own. It counts and notes times.

The simulated WeChat of the tests judges every request; this one only keeps up. Both speak the same
protocol.
"""
