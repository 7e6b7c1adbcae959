"""All that can be drawn, by its name in CIFAR-100: two vehicles with care, the others so that kinds differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from training.synthetic import animals, plants, things, two_wheelers, vehicles
from training.synthetic.pen import Pen

Drawing = Callable[[Pen], None]

_DRAWN: tuple[Drawing, ...] = (
    two_wheelers.bicycle,
    two_wheelers.motorcycle,
    plants.poppy,
    plants.tulip,
    plants.willow_tree,
    vehicles.bus,
    vehicles.pickup_truck,
    vehicles.train,
    vehicles.streetcar,
    vehicles.tractor,
    vehicles.tank,
    vehicles.lawn_mower,
    vehicles.rocket,
    plants.rose,
    plants.sunflower,
    plants.pine_tree,
    plants.palm_tree,
    plants.oak_tree,
    plants.apple,
    plants.mushroom,
    animals.cattle,
    animals.elephant,
    animals.fox,
    animals.rabbit,
    animals.snake,
    animals.aquarium_fish,
    animals.shark,
    animals.butterfly,
    animals.spider,
    animals.man,
    animals.woman,
    animals.baby,
    things.house,
    things.skyscraper,
    things.castle,
    things.bridge,
    things.road,
    things.mountain,
    things.sea,
    things.cloud,
    things.bottle,
    things.cup,
    things.clock,
    things.television,
    things.chair,
    things.table,
    things.lamp,
)
DRAWINGS: Mapping[str, Drawing] = {drawing.__name__: drawing for drawing in _DRAWN}
VEHICLES = ("bicycle", "motorcycle")
AMBIGUOUS = 0.05
"""The share of vehicles that are drawn as a moped, which belongs to neither class."""
moped: Drawing = two_wheelers.moped
