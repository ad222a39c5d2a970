"""Journal, definitions and blobs."""
