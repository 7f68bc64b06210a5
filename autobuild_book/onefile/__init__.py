"""The whole book in one file, EPUB or PDF, from its built pages: the same text, figures and links, nothing to click."""
