"""The text forms: what a terminal, nbval and a screen reader get. ``forms.py`` picks one by the type of a result."""
