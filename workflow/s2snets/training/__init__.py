"""Training: one loop with checkpoints, on one process or many."""
