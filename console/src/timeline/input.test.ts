import { describe, expect, test } from "vitest";

import { Gestures, type PointerLike, edgePan, keyIntent, wheelIntent } from "./input.ts";

const wheel = { deltaX: 0, deltaY: 100, deltaMode: 0, ctrlKey: false, shiftKey: false };

describe("wheel", () => {
  test("scrolls the page without Ctrl and focus", () => {
    expect(wheelIntent(wheel, 10, false)).toBeNull();
  });

  test("zooms around the pointer", () => {
    expect(wheelIntent({ ...wheel, ctrlKey: true }, 10, false)).toEqual({ do: "zoom", x: 10, factor: 1.0015 ** 100 });
    expect(wheelIntent({ ...wheel, deltaY: -100 }, 10, true)).toMatchObject({ factor: 1.0015 ** -100 });
    expect(wheelIntent({ ...wheel, deltaY: 3, deltaMode: 1 }, 10, true)).toMatchObject({ factor: 1.0015 ** 48 });
    expect(wheelIntent({ ...wheel, deltaY: 1e9 }, 10, true)).toMatchObject({ factor: 1.0015 ** 600 });
  });

  test("pans sideways", () => {
    expect(wheelIntent({ ...wheel, shiftKey: true }, 10, true)).toEqual({ do: "pan", dx: 100 });
    expect(wheelIntent({ ...wheel, deltaX: -120, deltaY: 5 }, 10, true)).toEqual({ do: "pan", dx: -120 });
    expect(wheelIntent({ ...wheel, deltaY: 0 }, 10, true)).toBeNull();
  });
});

test.each([
  ["ArrowLeft", false, { do: "step", ms: -10_000 }],
  ["ArrowRight", false, { do: "step", ms: 10_000 }],
  ["ArrowRight", true, { do: "step", ms: 60_000 }],
  ["+", true, { do: "zoom-playhead", factor: 0.5 }],
  ["-", false, { do: "zoom-playhead", factor: 2 }],
  ["0", false, { do: "day" }],
  ["[", false, { do: "mark-from" }],
  ["]", false, { do: "mark-to" }],
  ["PageUp", false, { do: "page", by: 1 }],
  ["Home", false, { do: "edge", to: "start" }],
  ["l", false, null],
  ["Tab", false, null],
])("key %s, shift %s", (key, shiftKey, intent) => {
  expect(keyIntent({ key, shiftKey, ctrlKey: false, altKey: false, metaKey: false })).toEqual(intent);
});

test("keys with Ctrl, Alt or Meta belong to the browser", () => {
  for (const held of ["ctrlKey", "altKey", "metaKey"]) {
    expect(keyIntent({ key: "0", shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, [held]: true })).toBeNull();
  }
});

const around = { width: 1000, rulerHeight: 22, playheadX: 400 };
const mouse = (x: number, y = 50, time = 0): PointerLike => ({ pointerId: 1, pointerType: "mouse", x, y, time });
const touch = (pointerId: number, x: number, y = 50, time = 0): PointerLike => ({ pointerId, pointerType: "touch", x, y, time });

describe("mouse", () => {
  test("a click seeks, two quick ones zoom in", () => {
    const gestures = new Gestures();
    gestures.down(mouse(100), around);
    expect(gestures.move(mouse(102), around)).toEqual([{ do: "hover", x: 102 }]);
    expect(gestures.up(mouse(102, 50, 80))).toEqual([{ do: "seek", x: 102 }]);
    gestures.down(mouse(102, 50, 200), around);
    expect(gestures.up(mouse(102, 50, 260))).toEqual([{ do: "zoom", x: 102, factor: 0.5 }]);
    gestures.down(mouse(102, 50, 300), around);
    expect(gestures.up(mouse(102, 50, 360))).toEqual([{ do: "seek", x: 102 }]);
  });

  test("a drag pans and does not seek", () => {
    const gestures = new Gestures();
    gestures.down(mouse(100), around);
    expect(gestures.move(mouse(110), around)).toEqual([{ do: "pan", dx: -10 }]);
    expect(gestures.move(mouse(90), around)).toEqual([{ do: "pan", dx: 20 }]);
    expect(gestures.up(mouse(90))).toEqual([]);
  });

  test("a drag of the playhead scrubs, and pans at the edge", () => {
    const gestures = new Gestures();
    gestures.down(mouse(404), around);
    expect(gestures.move(mouse(500), around)).toEqual([{ do: "scrub", x: 500 }]);
    expect(gestures.tick(16, 16, around)).toEqual([]);
    gestures.move(mouse(1000), around);
    expect(gestures.tick(16, 16, around)).toEqual([{ do: "pan", dx: expect.closeTo(9.6) }, { do: "scrub", x: 1000 }]);
    expect(gestures.up(mouse(1000))).toEqual([{ do: "release" }]);
  });

  test("a drag on the ruler marks a range, either way round", () => {
    const gestures = new Gestures();
    gestures.down(mouse(400, 10), around);
    gestures.move(mouse(420, 10), around);
    expect(gestures.move(mouse(300, 10), around)).toEqual([{ do: "mark-range", from: 300, to: 400 }]);
    expect(gestures.up(mouse(300, 10))).toEqual([]);
  });

  test("hover and leave", () => {
    const gestures = new Gestures();
    expect(gestures.move(mouse(5), around)).toEqual([{ do: "hover", x: 5 }]);
    expect(gestures.leave()).toEqual([{ do: "leave" }]);
  });
});

describe("touch", () => {
  test("a tap seeks nothing", () => {
    const gestures = new Gestures();
    gestures.down(touch(1, 100), around);
    gestures.move(touch(1, 105), around);
    expect(gestures.up(touch(1, 105))).toEqual([]);
  });

  test("a drag moves the strip under the playhead", () => {
    const gestures = new Gestures();
    gestures.down(touch(1, 100), around);
    expect(gestures.move(touch(1, 130), around)).toEqual([{ do: "slide", dx: -30 }]);
    expect(gestures.move(touch(1, 120), around)).toEqual([{ do: "slide", dx: 10 }]);
    expect(gestures.up(touch(1, 120))).toEqual([{ do: "release" }]);
  });

  test("a pinch zooms around the playhead and the finger that stays does nothing", () => {
    const gestures = new Gestures();
    gestures.down(touch(1, 400), around);
    gestures.down(touch(2, 600), around);
    expect(gestures.move(touch(2, 800), around)).toEqual([{ do: "zoom", x: 500, factor: 0.5 }]);
    expect(gestures.up(touch(2, 800))).toEqual([]);
    expect(gestures.move(touch(1, 100), around)).toEqual([]);
    expect(gestures.up(touch(1, 100))).toEqual([]);
    expect(gestures.isActive).toBe(false);
  });

  test("a second finger ends a drag", () => {
    const gestures = new Gestures();
    gestures.down(touch(1, 100), around);
    gestures.move(touch(1, 130), around);
    expect(gestures.down(touch(2, 600), around)).toEqual([{ do: "release" }]);
  });

  test("a long press marks, and its end does nothing", () => {
    const gestures = new Gestures();
    gestures.down(touch(1, 100, 50, 1000), around);
    expect(gestures.tick(1400, 400, around)).toEqual([]);
    expect(gestures.tick(1500, 100, around)).toEqual([{ do: "mark" }]);
    expect(gestures.move(touch(1, 300), around)).toEqual([]);
    expect(gestures.up(touch(1, 300))).toEqual([]);
  });

  test("a cancelled drag still lets the player seek", () => {
    const gestures = new Gestures();
    gestures.down(touch(1, 100), around);
    gestures.move(touch(1, 130), around);
    expect(gestures.cancel(touch(1, 130))).toEqual([{ do: "release" }]);
  });
});

test("panning at the edge is faster nearer to it", () => {
  expect(edgePan(500, 1000, 16)).toBe(0);
  expect(edgePan(0, 1000, 10)).toBe(-6);
  expect(edgePan(-50, 1000, 10)).toBe(-6);
  expect(edgePan(988, 1000, 10)).toBeCloseTo(3);
});
