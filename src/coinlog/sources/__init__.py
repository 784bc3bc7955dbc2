"""Where numbers come from: asking, decoding and judging the source's answers."""
