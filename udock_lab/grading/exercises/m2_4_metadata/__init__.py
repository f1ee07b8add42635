"""M2.4: ``save(db, record)`` and ``update(db, id, status, end_time, exit_code)``: two phases, never a torn table."""
