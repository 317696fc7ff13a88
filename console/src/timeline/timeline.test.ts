import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import type { LaneCoverage } from "./coverage.ts";
import { coloursOf } from "./draw.ts";
import type { Landing } from "./model.ts";
import { type Hover, Timeline, type TimelineOptions } from "./timeline.ts";

const NOW = Date.parse("2026-11-20T13:00:00Z");
const H = 3_600_000;

/** As much of a canvas element as the timeline uses. */
class FakeCanvas extends EventTarget {
  width = 0;
  height = 0;
  tabIndex = -1;
  style: Record<string, string> = {};
  attributes = new Map<string, string>();
  ownerDocument = { hidden: false, activeElement: null as unknown };
  paints = 0;

  setAttribute(name: string, value: string): void {
    this.attributes.set(name, value);
  }

  getBoundingClientRect() {
    return { left: 10, top: 20, width: 1000, height: 100 };
  }

  getContext() {
    this.paints++;
    return new Proxy({ measureText: () => ({ width: 10 }) } as Record<string, unknown>, {
      get: (target, name: string) => target[name] ?? (() => {}),
      set: () => true,
    });
  }

  fire(type: string, fields: Record<string, unknown>): boolean {
    const event = new Event(type, { cancelable: true });
    const all = { pointerId: 1, pointerType: "mouse", button: 0, clientX: 0, clientY: 60, ...fields };
    for (const [name, value] of Object.entries(all)) Object.defineProperty(event, name, { value });
    if (type === "keydown" || type === "wheel") {
      for (const name of ["ctrlKey", "shiftKey", "altKey", "metaKey"]) {
        if (!(name in event)) Object.defineProperty(event, name, { value: false });
      }
    }
    return !this.dispatchEvent(event);
  }
}

const GAP = { from: NOW - 40 * 60_000, to: NOW - 30 * 60_000 };

/** Everything is recorded but one gap of ten minutes. */
async function load(from: number, to: number): Promise<LaneCoverage[]> {
  const pieces: LaneCoverage["pieces"] = [];
  const end = Math.min(to, NOW);
  if (from < GAP.from) pieces.push({ from, to: Math.min(end, GAP.from), state: "full" });
  if (from < GAP.to && end > GAP.from) pieces.push({ from: Math.max(from, GAP.from), to: Math.min(end, GAP.to), state: "gap" });
  if (end > GAP.to) pieces.push({ from: Math.max(from, GAP.to), to: end, state: "full" });
  return [{ pieces, gaps: [{ ...GAP, reason: "NO_SESSION", errorId: null }], error: null }];
}

function setUp(more: Partial<TimelineOptions<string>> = {}) {
  const canvas = new FakeCanvas();
  const seeks: Landing[] = [];
  const hovers: (Hover<string> | null)[] = [];
  const thumbnails: number[] = [];
  const timeline = new Timeline<string>(
    canvas as unknown as HTMLCanvasElement,
    {
      lanes: ["gate-3"], view: { from: NOW - H, to: NOW }, zone: "Europe/Berlin", locale: "en", label: "Recordings",
      colours: coloursOf((name) => name), font: "sans-serif", now: () => NOW,
      valueText: ({ at, state, gap }) => `${new Date(at).toISOString()} ${gap ? gap.reason : state}`,
      loadCoverage: load,
      loadThumbnail: async (at) => (thumbnails.push(at), `picture ${at}`),
      onSeek: (landing) => seeks.push(landing),
      onHover: (hover) => hovers.push(hover),
      ...more,
    },
    {
      requestFrame: (callback) => (queueMicrotask(callback), 1),
      cancelFrame: () => {},
      setTimer: (callback, ms) => setTimeout(callback, ms),
      clearTimer: (id) => clearTimeout(id as number),
      ratio: () => 2,
    },
  );
  return { canvas, timeline, seeks, hovers, thumbnails };
}

/** The clientX of an instant in the view of the last hour. */
const xOf = (at: number) => 10 + ((at - (NOW - H)) / H) * 1000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
const settle = () => vi.advanceTimersByTimeAsync(1);

function click(canvas: FakeCanvas, at: number): void {
  canvas.fire("pointerdown", { clientX: xOf(at) });
  canvas.fire("pointerup", { clientX: xOf(at) });
}

describe("a click", () => {
  test("where something is recorded seeks there", async () => {
    const { canvas, seeks, timeline } = setUp();
    await settle();
    click(canvas, NOW - 10 * 60_000);
    await settle();
    expect(seeks).toEqual([{ asked: NOW - 10 * 60_000, at: NOW - 10 * 60_000, gap: null }]);
    expect(timeline.playhead).toBe(NOW - 10 * 60_000);
  });

  test("in a gap goes to the next recorded moment and says so", async () => {
    const { canvas, seeks } = setUp();
    await settle();
    const asked = NOW - 36 * 60_000;
    click(canvas, asked);
    await settle();
    expect(seeks).toEqual([{ asked, at: GAP.to, gap: { ...GAP, reason: "NO_SESSION", errorId: null } }]);
  });

  test("where nothing follows stays and says so", async () => {
    const nothing = async (from: number, to: number): Promise<LaneCoverage[]> => [
      { pieces: [{ from, to: Math.min(to, NOW), state: "gap" }], gaps: [], error: null },
    ];
    const { canvas, seeks, timeline } = setUp({ loadCoverage: nothing });
    timeline.setPlayhead(NOW - 5000);
    await settle();
    click(canvas, NOW - 36 * 60_000);
    await settle();
    expect(seeks).toMatchObject([{ at: null, gap: { from: NOW - 36 * 60_000, to: NOW } }]);
    expect(timeline.playhead).toBe(NOW - 5000);
  });

  test("after now does not reach the future", async () => {
    const { seeks, timeline } = setUp();
    await settle();
    timeline.seek(NOW + H);
    await settle();
    expect(seeks[0]?.asked).toBe(NOW);
  });
});

test("scrubbing shows pictures, seeks after a rest and on release", async () => {
  const { canvas, timeline, seeks, hovers, thumbnails } = setUp();
  timeline.setPlayhead(NOW - 20 * 60_000);
  await settle();
  canvas.fire("pointerdown", { clientX: xOf(NOW - 20 * 60_000) });
  canvas.fire("pointermove", { clientX: xOf(NOW - 15 * 60_000) });
  await settle();
  expect(thumbnails).toEqual([NOW - 15 * 60_000]);
  expect(hovers.at(-1)).toMatchObject({ at: NOW - 15 * 60_000, state: "full", picture: `picture ${NOW - 15 * 60_000}`, pictureAt: NOW - 15 * 60_000 });
  // The player is still where it was.
  timeline.setPlayhead(NOW - 20 * 60_000);
  expect(timeline.playhead).toBe(NOW - 15 * 60_000);
  expect(seeks).toEqual([]);
  await vi.advanceTimersByTimeAsync(120);
  expect(seeks).toHaveLength(1);
  canvas.fire("pointermove", { clientX: xOf(NOW - 12 * 60_000) });
  canvas.fire("pointerup", { clientX: xOf(NOW - 12 * 60_000) });
  await settle();
  expect(seeks.map(({ at }) => at)).toEqual([NOW - 15 * 60_000, NOW - 12 * 60_000]);
  await vi.advanceTimersByTimeAsync(500);
  expect(seeks).toHaveLength(2);
});

test("no picture is asked for in a gap, and hover explains it", async () => {
  const { canvas, hovers, thumbnails } = setUp();
  await settle();
  canvas.fire("pointermove", { clientX: xOf(NOW - 36 * 60_000) });
  await settle();
  expect(thumbnails).toEqual([]);
  expect(hovers.at(-1)).toMatchObject({ state: "gap", gap: { reason: "NO_SESSION" }, picture: null });
  canvas.fire("pointerleave", {});
  expect(hovers.at(-1)).toBeNull();
});

test("touch: the strip moves, a tap does nothing, the playhead stays in the middle", async () => {
  const { canvas, timeline, seeks } = setUp();
  timeline.setPlayhead(NOW - 20 * 60_000);
  await settle();
  const finger = { pointerType: "touch" };
  canvas.fire("pointerdown", { ...finger, clientX: 200 });
  canvas.fire("pointerup", { ...finger, clientX: 200 });
  await settle();
  expect(seeks).toEqual([]);
  canvas.fire("pointerdown", { ...finger, clientX: 300 });
  canvas.fire("pointermove", { ...finger, clientX: 400 });
  canvas.fire("pointerup", { ...finger, clientX: 400 });
  await settle();
  expect(seeks).toMatchObject([{ at: NOW - 26 * 60_000 }]);
  expect((timeline.view.from + timeline.view.to) / 2).toBe(NOW - 26 * 60_000);
});

test("keys move the playhead; a held key seeks once", async () => {
  const { canvas, timeline, seeks } = setUp();
  timeline.setPlayhead(NOW - 20 * 60_000);
  await settle();
  for (let n = 0; n < 3; n++) expect(canvas.fire("keydown", { key: "ArrowLeft" })).toBe(true);
  await vi.advanceTimersByTimeAsync(130);
  expect(seeks.map(({ at }) => at)).toEqual([NOW - 20 * 60_000 - 30_000]);
  expect(canvas.fire("keydown", { key: "x" })).toBe(false);

  canvas.fire("keydown", { key: "[" });
  timeline.setPlayhead(NOW - 10 * 60_000);
  canvas.fire("keydown", { key: "]" });
  expect(timeline.marks).toEqual({ from: NOW - 20 * 60_000 - 30_000, to: NOW - 10 * 60_000 });

  canvas.fire("keydown", { key: "0" });
  expect(timeline.view).toEqual({ from: Date.parse("2026-11-19T23:00:00Z"), to: Date.parse("2026-11-20T23:00:00Z") });
});

test("the wheel scrolls the page unless the bar has focus or Ctrl is held", async () => {
  const ranges: unknown[] = [];
  const { canvas } = setUp({ onRange: (view) => ranges.push(view) });
  const notch = { deltaX: 0, deltaY: -100, deltaMode: 0, clientX: 510 };
  expect(canvas.fire("wheel", notch)).toBe(false);
  expect(ranges).toEqual([]);
  canvas.ownerDocument.activeElement = canvas;
  expect(canvas.fire("wheel", notch)).toBe(true);
  expect(ranges).toHaveLength(1);
});

test("the slider speaks", async () => {
  const { canvas, timeline } = setUp();
  timeline.setPlayhead(NOW - 36 * 60_000);
  await settle();
  expect(canvas.attributes.get("role")).toBe("slider");
  expect(canvas.attributes.get("aria-valuetext")).toBe("2026-11-20T12:24:00.000Z NO_SESSION");
  expect(canvas.attributes.get("aria-valuenow")).toBe(String(NOW - 36 * 60_000));
  expect([canvas.width, canvas.height, canvas.tabIndex]).toEqual([2000, 200, 0]);
});

describe("loading", () => {
  test("two in the air at most, cancelled when out of view", async () => {
    const asked: { from: number; to: number; signal: AbortSignal }[] = [];
    const { timeline } = setUp({
      loadCoverage: (from, to, _, signal) => (asked.push({ from, to, signal }), new Promise(() => {})),
    });
    await settle();
    expect(asked).toHaveLength(2);
    timeline.setView({ from: NOW - 1000 * H, to: NOW - 999 * H });
    expect(asked.slice(0, 2).every(({ signal }) => signal.aborted)).toBe(true);
    expect(asked).toHaveLength(4);
    timeline.destroy();
    expect(asked.every(({ signal }) => signal.aborted)).toBe(true);
  });

  test("a failure is tried again after a while, not at once", async () => {
    let calls = 0;
    const errors: unknown[] = [];
    const { timeline } = setUp({
      loadCoverage: () => (calls++, Promise.reject(new Error("down"))),
      onError: (error) => errors.push(error),
    });
    await settle();
    const first = calls;
    expect(errors).toHaveLength(first);
    await vi.advanceTimersByTimeAsync(1900);
    expect(calls).toBe(first);
    // The clock of the test stands; another one lets the pause pass.
    timeline.reload();
    await settle();
    expect(calls).toBeGreaterThan(first);
  });

  test("nothing is drawn or asked for after the end", async () => {
    const { canvas, timeline } = setUp();
    await settle();
    timeline.destroy();
    const { paints } = canvas;
    timeline.setPlayhead(NOW - 1000);
    canvas.fire("pointermove", { clientX: 100 });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(canvas.paints).toBe(paints);
    expect(vi.getTimerCount()).toBe(0);
  });
});
