import { describe, expect, test } from "vitest";
import { type Point, SCALE_MAX, WHOLE, type Zoom, moved, transformOf, zoomed } from "./zoom.ts";

/** Which point of the picture lies at a point of the box, from the picture's middle, in its widths and heights. */
const pictureAt = (zoom: Zoom, at: Point) => ({ x: (at.x - zoom.x) / zoom.scale, y: (at.y - zoom.y) / zoom.scale });

/** The same numbers each time. */
function* numbers(): Generator<number, never> {
  for (let seed = 7; ;) {
    seed = (seed * 48_271) % 2_147_483_647;
    yield seed / 2_147_483_647;
  }
}

describe("zoom", () => {
  test("what lies under the pointer stays there", () => {
    const at = { x: 0.2, y: -0.3 };
    const near = zoomed(WHOLE, 3, at);
    expect(near.scale).toBe(3);
    expect(pictureAt(near, at).x).toBeCloseTo(at.x);
    expect(pictureAt(near, at).y).toBeCloseTo(at.y);
    const nearer = zoomed(near, 2, { x: 0.1, y: 0.1 });
    expect(pictureAt(nearer, { x: 0.1, y: 0.1 }).x).toBeCloseTo(pictureAt(near, { x: 0.1, y: 0.1 }).x);
  });

  test("it ends at eight times, and at the whole", () => {
    expect(zoomed(WHOLE, 100, WHOLE).scale).toBe(SCALE_MAX);
    expect(zoomed(WHOLE, 0.5, { x: 0.4, y: 0.4 })).toEqual(WHOLE);
    expect(zoomed(zoomed(WHOLE, 2, { x: 0.4, y: 0.4 }), 0.51, { x: -0.4, y: 0 })).toEqual(WHOLE);
  });

  test("no edge comes in, whatever is done", () => {
    const next = numbers();
    const number = () => next.next().value;
    let zoom = WHOLE;
    for (let n = 0; n < 5000; n++) {
      const at = { x: number() - 0.5, y: number() - 0.5 };
      zoom = number() < 0.5 ? zoomed(zoom, 0.4 + number() * 2, at) : moved(zoom, { x: at.x * 10, y: at.y * 10 });
      expect(zoom.scale).toBeGreaterThanOrEqual(1);
      expect(zoom.scale).toBeLessThanOrEqual(SCALE_MAX);
      for (const corner of [{ x: -0.5, y: -0.5 }, { x: 0.5, y: 0.5 }]) {
        const { x, y } = pictureAt(zoom, corner);
        expect(Math.max(Math.abs(x), Math.abs(y))).toBeLessThanOrEqual(0.5 + 1e-9);
      }
    }
  });

  test("as CSS has it", () => {
    expect(transformOf({ scale: 2, x: 0.25, y: -0.5 })).toBe("translate(25.000%, -50.000%) scale(2.0000)");
  });
});
