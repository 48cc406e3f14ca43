"""Figures: each declares its inputs and texts, and draws tables; none computes."""
