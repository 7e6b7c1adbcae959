"""A day of a stack, played through: photos, incidents, people, and whether every photo is accounted for."""
