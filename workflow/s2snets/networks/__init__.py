"""The networks: autoencoders, classifiers and what is built from them; their files."""
