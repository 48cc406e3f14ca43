"""Images: sources, packed sets, the dataset over them, augmentation and noise."""
