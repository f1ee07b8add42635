"""M2.5: ``find_image_by_name(db, name) -> str | None``: one record among others, damaged ones too."""
