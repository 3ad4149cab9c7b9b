"""Two bodies around each other: float arithmetic in attributes. Try: cargo xtask run examples/python/nbody.py"""

import math


class Body:
    def __init__(self, x, y, vx, vy, mass):
        self.x, self.y, self.vx, self.vy, self.mass = x, y, vx, vy, mass


def step(a, b, dt):
    dx = b.x - a.x
    dy = b.y - a.y
    d3 = (dx * dx + dy * dy) ** 1.5
    a.vx += dt * b.mass * dx / d3
    a.vy += dt * b.mass * dy / d3
    b.vx -= dt * a.mass * dx / d3
    b.vy -= dt * a.mass * dy / d3
    for body in (a, b):
        body.x += dt * body.vx
        body.y += dt * body.vy


def main():
    sun = Body(0.0, 0.0, 0.0, 0.0, 1.0)
    planet = Body(1.0, 0.0, 0.0, 1.0, 1e-3)
    for _ in range(200_000):
        step(sun, planet, 1e-3)
    print(f"distance {math.hypot(planet.x - sun.x, planet.y - sun.y):.6f}")


main()
