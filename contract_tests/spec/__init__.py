"""Rules about the contract itself: the harness plays the reader."""
