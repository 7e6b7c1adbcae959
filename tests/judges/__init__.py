"""Judges that did not come from us: asl-validator, the reference JSONata, and moto's interpreter."""
