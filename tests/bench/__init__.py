"""Throughput and latency of the whole product beside two echo bots and a naive build. Run by `make bench`."""
