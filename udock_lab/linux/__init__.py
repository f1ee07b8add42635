"""Ground floor: what the operating system offers. One file per concept; imports nothing of ours."""
