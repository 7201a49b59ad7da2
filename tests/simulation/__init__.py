"""Whole days of a small town, drawn from a seed: the real scheduler, workers and webhooks on a real database, with a clock, a
network and vendors that are played, and something going wrong at any statement. The same seed tells the same day again."""
