"""M2.3: ``next_id(db)`` and a locked ``allocate(db)``: unique under any number of processes."""
