"""Files, tables, records, fingerprints, devices, progress, errors and Slurm."""
