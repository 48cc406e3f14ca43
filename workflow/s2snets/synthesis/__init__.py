"""Preferred images of neurons (Despraz et al. 2017)."""
