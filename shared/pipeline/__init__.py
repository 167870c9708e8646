"""The pipeline: what each function does between decoding its input and publishing its output."""
