"""mdock in a notebook: ``%mdock``, ``%%sandbox``, what a cell shows, and the guard that keeps the kernel whole."""
