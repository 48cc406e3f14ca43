"""What the paper claims, tested on the tables of a study."""
