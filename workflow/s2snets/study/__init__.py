"""The axes of a study, its progress, and its results once it is finished."""
