"""The HTML forms: readable in light and dark themes, nothing by colour alone. ``forms.py`` picks one by the type."""
