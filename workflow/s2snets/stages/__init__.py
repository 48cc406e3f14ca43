"""The stages of the study: each is declared, and run, in a module by section."""
