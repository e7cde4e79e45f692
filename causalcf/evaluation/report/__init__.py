"""The report of an evaluation: one outcome as console text, HTML, Markdown and pictures."""
