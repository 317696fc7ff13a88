import { describe, expect, test } from "vitest";

import { FULL, GAP, LOADING, NONE, PART, columns } from "./columns.ts";
import type { Piece } from "./coverage.ts";
import { type Context, type Scene, coloursOf, draw, laneBox } from "./draw.ts";
import { randomOf } from "./random.fixture.ts";
import { type View, xOf } from "./view.ts";

const NOW = Date.parse("2026-11-20T13:00:00Z");
const colours = coloursOf((name) => ` ${name}`);

interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
  colour: string;
  alpha: number;
}

/** Records what is filled and written. */
function recorder() {
  const rects: Rect[] = [];
  const texts: string[] = [];
  let hatches = 0;
  const context = {
    fillStyle: "", strokeStyle: "", globalAlpha: 1, font: "", textAlign: "left", textBaseline: "middle", lineWidth: 1,
    fillRect(x: number, y: number, width: number, height: number) {
      rects.push({ x, y, width, height, colour: context.fillStyle, alpha: context.globalAlpha });
    },
    clearRect() {}, beginPath() {}, moveTo() {}, lineTo() {}, rect() {}, clip() {}, fill() {}, closePath() {},
    stroke: () => void hatches++,
    save() {}, restore() {},
    fillText: (text: string) => void texts.push(text),
    measureText: (text: string) => ({ width: text.length * 6 }),
  };
  return { context: context as unknown as Context, rects, texts, hatches: () => hatches };
}

function scene(view: View, pieces: Piece[], more: Partial<Scene> = {}): Scene {
  return {
    width: 1000, height: 120, ratio: 1, view, zone: "Europe/Berlin", locale: "en", now: NOW, playhead: null, hover: null,
    marks: { from: null, to: null }, lanes: [{ name: "gate-3", pieces, loading: [], error: null }], colours, font: "sans-serif",
    ...more,
  };
}

describe("a gap of a second or more inside the view is never invisible", () => {
  const random = randomOf(7);

  test.each(Array.from({ length: 300 }, (_, round) => round))("round %d", () => {
    // From two seconds to two years, gaps from one second up, at places of any kind.
    const span = 2000 * 2 ** (random() * 25);
    const view = { from: NOW - span, to: NOW };
    const width = 1 + Math.floor(random() * 1500);
    const pieces: Piece[] = [];
    let at = view.from - span * random() * 0.1;
    while (at < view.to && pieces.length < 2000) {
      const scale = random() < 0.5 ? span / 10 : 10_000;
      const run = at + 1 + random() * scale;
      const end = run + 1000 + (random() < 0.5 ? 0 : random() * scale);
      pieces.push({ from: at, to: run, state: random() < 0.9 ? "full" : "part" }, { from: run, to: end, state: "gap" });
      at = end;
    }
    const { context, rects } = recorder();
    draw(context, scene(view, pieces, { width, now: NOW + 1 }));
    // The canvas as seen: the last thing painted on each pixel of the lane's middle line.
    const { top, height } = laneBox(0, 1, 120);
    const line = Math.round(top) + Math.floor(height / 2);
    const shown = new Array<string>(width).fill("");
    for (const rect of rects) {
      if (rect.y > line || rect.y + rect.height <= line || rect.colour === "--live") continue;
      for (let x = Math.max(0, rect.x); x < Math.min(width, rect.x + rect.width); x++) shown[x] = `${rect.colour} ${rect.alpha}`;
    }
    for (const { from, to, state } of pieces) {
      if (to <= view.from || from >= view.to) continue;
      const isInside = from >= view.from && to <= view.to;
      const pixels = shown.slice(
        Math.max(0, Math.floor(xOf(view, from, width))),
        Math.min(width, Math.max(Math.floor(xOf(view, from, width)) + 1, Math.ceil(xOf(view, to, width)))),
      );
      if (state === "gap" && isInside) expect(pixels.some((pixel) => pixel !== "--coverage 1")).toBe(true);
      // Nor is a recording.
      if (state !== "gap" && isInside) expect(pixels.some((pixel) => pixel.startsWith("--coverage"))).toBe(true);
    }
  });
});

describe("columns", () => {
  const view = { from: 0, to: 10_000 };
  const piece = (from: number, to: number, state: Piece["state"]): Piece => ({ from, to, state });

  test("states", () => {
    const pieces = [piece(0, 3000, "full"), piece(3000, 5000, "gap"), piece(5000, 6000, "part")];
    expect([...columns(pieces, [{ from: 8000, to: 10_000 }], view, 10)]).toEqual([
      FULL, FULL, FULL, GAP, GAP, PART, NONE, NONE, LOADING, LOADING,
    ]);
  });

  test("a narrow gap takes a pixel of its own, not two", () => {
    const year = { from: 0, to: 31_536_000_000 };
    const states = columns([piece(0, 15e9, "full"), piece(15e9, 15e9 + 1000, "gap"), piece(15e9 + 1000, year.to, "full")], [], year, 1000);
    expect(states.filter((state) => state === GAP)).toHaveLength(1);
    expect(states.filter((state) => state === FULL)).toHaveLength(999);
  });

  test("narrow gaps everywhere do not hide that much is recorded", () => {
    const pieces: Piece[] = [];
    for (let at = 0; at < 10_000; at += 10) pieces.push(piece(at, at + 9, "full"), piece(at + 9, at + 10, "gap"));
    expect([...columns(pieces, [], view, 10)].every((state) => state === PART)).toBe(true);
  });
});

test("a bucket that is part full is drawn at 60 %", () => {
  const { context, rects } = recorder();
  draw(context, scene({ from: NOW - 1000_000, to: NOW }, [{ from: NOW - 500_000, to: NOW - 400_000, state: "part" }]));
  const shown = rects.filter(({ colour }) => colour === "--coverage");
  expect(shown).toMatchObject([{ x: 500, width: 100, alpha: 0.6 }]);
});

test("what is loading is hatched, and an error is written", () => {
  const { context, hatches, texts } = recorder();
  const view = { from: NOW - 1000_000, to: NOW };
  draw(context, scene(view, [], {
    lanes: [
      { name: "a", pieces: [], loading: [{ from: view.from, to: NOW }], error: null },
      { name: "b", pieces: [], loading: [], error: "AccessDeniedException" },
    ],
  }));
  expect(hatches()).toBe(1);
  expect(texts).toContain("AccessDeniedException");
});

test("playhead, hover, marks and the line of now, in device pixels", () => {
  const { context, rects, texts } = recorder();
  const view = { from: NOW - 60_000, to: NOW + 60_000 };
  draw(context, scene(view, [], {
    width: 2400, height: 240, ratio: 2, playhead: NOW - 30_000, hover: NOW - 20_000,
    marks: { from: NOW - 50_000, to: NOW - 40_000 },
  }));
  const tall = rects.filter(({ height, width }) => height === 240 && width < 10);
  expect(tall.map(({ colour, x, width }) => [colour, x, width])).toEqual([
    ["--accent", 198, 4], ["--accent", 398, 4], ["--live", 1199, 2], ["--muted", 799, 2], ["--text", 598, 4],
  ]);
  expect(rects).toContainEqual({ x: 200, y: 0, width: 200, height: 240, colour: "--accent", alpha: 0.2 });
  expect(texts).toContain("13:59:30");
});

test("lanes do not overlap", () => {
  for (const count of [1, 4, 16]) {
    for (let lane = 1; lane < count; lane++) {
      const before = laneBox(lane - 1, count, 120);
      expect(laneBox(lane, count, 120).top).toBeGreaterThanOrEqual(before.top + before.height);
    }
  }
});

test("a label of the ruler is whole or not there", () => {
  const labelsOf = (more: Partial<Scene>, past = 0) => {
    const { context, texts } = recorder();
    draw(context, scene({ from: NOW - 3_600_000 + past, to: NOW + past }, [], { lanes: [], ...more }));
    return texts;
  };
  // 14:00 is 28 pixels from the edge, and wants 33.
  expect(labelsOf({}, 100_000).at(-1)).toBe("13:50");
  expect(labelsOf({}, 200_000).at(-1)).toBe("14:00");
  const labels = labelsOf({ playhead: NOW - 1_800_000 });
  expect(labels).toContain("13:30:00");
  expect(labels).not.toContain("13:30");
  expect(labels).toContain("13:20");
});
