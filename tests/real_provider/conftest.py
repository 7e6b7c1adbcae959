"""What needs tools that a checkout does not bring is collected only where they are."""

import os

MIRROR = "SCONES_TERRAFORM_MIRROR"
"""The variable that names a folder in which terraform finds the provider (its "filesystem mirror")."""
collect_ignore = [] if os.environ.get(MIRROR) else ["test_real_provider.py"]
