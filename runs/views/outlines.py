"""Zones on a map: simplified outlines drawn by hand for this project, good for telling zones apart and no more.

Longitude and latitude of each zone's corners. Neighbours share corners. A world without outlines is drawn as
circles at its zones' places.
"""

from __future__ import annotations

from typing import Any

from abm.world import World

Ring = tuple[tuple[float, float], ...]

_METRO_EAST: Ring = (
    (127.1, 38.28),
    (127.35, 38.25),
    (127.55, 38.0),
    (127.6, 37.75),
    (127.75, 37.5),
    (127.75, 37.2),
)
_METRO_SOUTH: Ring = ((127.6, 37.0), (127.45, 36.95), (127.2, 36.9), (126.95, 36.93), (126.8, 36.98))
_EAST_SOUTH: Ring = ((128.0, 37.2), (128.3, 37.15), (128.5, 37.08))
_MIDDLE: Ring = (
    (128.4, 36.9),
    (128.1, 36.75),
    (127.9, 36.6),
    (127.95, 36.35),
    (127.85, 36.1),
    (127.75, 36.0),
)
_HONAM_NORTH: Ring = ((127.5, 36.05), (127.3, 36.1), (127.0, 36.1), (126.75, 36.02))
_HONAM_EAST: Ring = ((127.85, 35.85), (127.65, 35.6), (127.6, 35.35), (127.6, 35.15), (127.75, 34.95))

OUTLINES: dict[str, dict[str, Ring]] = {
    "korea": {
        "metro": (
            *_METRO_EAST, *_METRO_SOUTH, (126.75, 37.1), (126.65, 37.2), (126.7, 37.35), (126.6, 37.5),
            (126.35, 37.55), (126.15, 37.7), (126.35, 37.82), (126.65, 37.95), (126.85, 38.08),
        ),
        "east": (
            (127.1, 38.28), (127.4, 38.33), (127.8, 38.33), (128.1, 38.38), (128.3, 38.6), (128.45, 38.35),
            (128.6, 38.1), (128.85, 37.85), (129.05, 37.65), (129.25, 37.35), (129.4, 37.1), (129.45, 36.7),
            (129.2, 36.75), (129.1, 37.0), (128.8, 37.05), *_EAST_SOUTH[::-1], *_METRO_EAST[:0:-1],
        ),
        "chungcheong": (
            *_METRO_SOUTH[::-1], (127.75, 37.2), *_EAST_SOUTH, *_MIDDLE, *_HONAM_NORTH, (126.55, 36.15),
            (126.5, 36.45), (126.3, 36.6), (126.15, 36.75), (126.3, 36.95), (126.5, 37.02), (126.65, 36.93),
        ),
        "honam": (
            *_HONAM_NORTH[::-1], (127.75, 36.0), *_HONAM_EAST, (127.75, 34.75), (127.5, 34.65), (127.3, 34.5),
            (126.9, 34.4), (126.55, 34.3), (126.3, 34.55), (126.35, 34.85), (126.3, 35.1), (126.4, 35.4),
            (126.5, 35.6), (126.55, 35.85),
        ),
        "southeast": (
            (128.5, 37.08), (128.8, 37.05), (129.1, 37.0), (129.2, 36.75), (129.45, 36.7), (129.42, 36.4),
            (129.4, 36.1), (129.55, 36.0), (129.5, 35.7), (129.4, 35.45), (129.25, 35.2), (129.05, 35.05),
            (128.8, 34.95), (128.65, 34.75), (128.4, 34.8), (128.1, 34.85), (127.9, 34.8), *_HONAM_EAST[::-1],
            *_MIDDLE[::-1],
        ),
        "jeju": (
            (126.15, 33.35), (126.3, 33.48), (126.55, 33.53), (126.8, 33.55), (126.93, 33.45), (126.85, 33.33),
            (126.6, 33.23), (126.3, 33.22), (126.17, 33.28),
        ),
    },
}  # fmt: skip


def geojson(world: World) -> dict[str, Any]:
    """The zones of a world as GeoJSON; small squares for zones without an outline."""
    rings = OUTLINES.get(world.name, {})
    features = []
    for row, key in enumerate(world.zones.keys):
        ring = rings.get(key)
        if ring is None:
            x, y, half = float(world.zones.longitude[row]), float(world.zones.latitude[row]), 0.25
            ring = ((x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half))
        corners = [list(point) for point in (*ring, ring[0])]
        features.append(
            {
                "type": "Feature",
                "properties": {"name": key},
                "geometry": {"type": "Polygon", "coordinates": [corners]},
            }
        )
    return {"type": "FeatureCollection", "features": features}
