"""The policy pack, as `pulumi preview --policy-pack policy` starts it."""

from __future__ import annotations

import sys
from pathlib import Path

from pulumi_policy import EnforcementLevel, PolicyPack

# the engine puts this folder on the path, not the one that holds it
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from policy.pack import policies

PolicyPack("scones", policies(), enforcement_level=EnforcementLevel.MANDATORY)
