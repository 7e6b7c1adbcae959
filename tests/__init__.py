"""Tests; a package, so that no installed distribution of the same name hides it."""
