"""The function as it is handed out."""


# misconception: none yet; nothing has been written
# fails: finds
def find_image_by_name(db: str, name: str) -> str | None:
    raise NotImplementedError
