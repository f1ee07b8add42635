"""What processes say to each other, and how it travels.

messages.py    values to bytes and back: one codec for all messages
"""
