"""Whole documents, which stand on their own in a browser: templates of Jinja, and what is put into them."""
