import { describe, expect, test } from "vitest";

import { type LaneCoverage, type Piece } from "./coverage.ts";
import { CoverageModel, land, levelFor, tileAt } from "./model.ts";
import { type View } from "./view.ts";

const H = 3_600_000;
const NOW = Date.parse("2026-11-20T13:00:00Z");
const lane = (pieces: Piece[], gaps: LaneCoverage["gaps"] = []): LaneCoverage => ({ pieces, gaps, error: null });
const full = (from: number, to: number): Piece => ({ from, to, state: "full" });
const gap = (from: number, to: number): Piece => ({ from, to, state: "gap" });

describe("wanted", () => {
  test("three tiles at most cover any view, none of the future, the middle first", () => {
    for (let span = 2000; span < 2 * 366 * 24 * H; span *= 1.37) {
      const view = { from: NOW - span * 0.7, to: NOW + span * 0.3 };
      const tiles = new CoverageModel(1).wanted(view, NOW);
      expect(tiles.length).toBeGreaterThan(0);
      expect(tiles.length).toBeLessThanOrEqual(3);
      expect(tiles.every((tile) => tile.from < NOW && tile.to > view.from)).toBe(true);
      const [first] = tiles;
      const middle = (view.from + view.to) / 2;
      expect(first && first.from <= middle && middle <= first.to).toBe(true);
      // A point is finer than three pixels of a wide screen.
      expect((first ? first.to - first.from : 0) / 2048).toBeLessThanOrEqual(span / 2000);
    }
  });

  test("what is loaded is not wanted again until it may have changed", () => {
    const model = new CoverageModel(1);
    const view = { from: NOW - H, to: NOW };
    for (const tile of model.wanted(view, NOW)) model.put(tile, [lane([])], NOW);
    expect(model.wanted(view, NOW + 1000)).toEqual([]);
    // The tile that contains now, and only that.
    expect(model.wanted(view, NOW + 3000).map((tile) => tile.to > NOW)).toEqual([true]);
    expect(model.wanted(view, NOW + 301_000).length).toBeGreaterThan(1);
  });

  test("points of many streams stay within what one call may give", () => {
    for (const count of [1, 16, 100]) expect(new CoverageModel(count).maxPoints * count).toBeLessThanOrEqual(100_000);
  });

  test("the cache is bounded", () => {
    const model = new CoverageModel(1);
    for (let n = 0; n < 500; n++) model.put(tileAt(0, n), [lane([full(n * 1000, (n + 1) * 1000)])], n);
    const { loading, pieces } = model.lane(0, { from: 0, to: 500_000 }, NOW);
    expect(pieces).toEqual([full(404_000, 500_000)]);
    expect(loading.at(0)?.from).toBe(0);
  });
});

describe("lane", () => {
  const view: View = { from: NOW - H, to: NOW };
  const level = levelFor(H);
  const width = 1000 * 2 ** level;
  const index = Math.floor(view.from / width);
  const [a, b, c] = [tileAt(level, index), tileAt(level, index + 1), tileAt(level, index + 2)];

  test("answers of neighbouring tiles become one run", () => {
    const model = new CoverageModel(1);
    model.put(a, [lane([full(a.from, a.to - 400)])], NOW);
    model.put(b, [lane([full(b.from + 200, b.to)])], NOW);
    model.put(c, [lane([full(c.from, c.to)])], NOW);
    expect(model.lane(0, view, NOW)).toMatchObject({ pieces: [full(view.from, Math.min(c.to, view.to))], loading: [] });
  });

  test("a gap that the edge of a tile cuts is one gap", () => {
    const model = new CoverageModel(1);
    const named = (from: number, to: number) => ({ from, to, reason: "NO_SESSION", errorId: null });
    model.put(a, [lane([full(a.from, a.to - 3000), gap(a.to - 3000, a.to)], [named(a.to - 3000, a.to)])], NOW);
    model.put(b, [lane([gap(b.from, b.from + 600), full(b.from + 600, b.to)], [named(b.from, b.from + 600)])], NOW);
    const shown = model.lane(0, { from: a.from, to: b.to }, NOW);
    expect(shown.pieces).toEqual([full(a.from, a.to - 3000), gap(a.to - 3000, b.from + 600), full(b.from + 600, b.to)]);
    expect(shown.gaps).toEqual([named(a.to - 3000, b.from + 600)]);
  });

  test("what is missing is loading; a coarser or finer answer stands in", () => {
    const model = new CoverageModel(1);
    expect(model.lane(0, view, NOW)).toEqual({ pieces: [], loading: expect.any(Array), gaps: [], error: null });
    expect(model.lane(0, view, NOW).loading.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(H);

    const coarse = tileAt(level + 3, Math.floor(index / 8));
    model.put(coarse, [lane([{ from: coarse.from, to: coarse.to, state: "part" }])], NOW);
    expect(model.lane(0, { from: a.from, to: a.to }, NOW)).toMatchObject({ pieces: [{ from: a.from, to: a.to, state: "part" }], loading: [] });

    const fine = new CoverageModel(1);
    const child = tileAt(level - 2, a.index * 4 + 1);
    fine.put(child, [lane([full(child.from, child.to)])], NOW);
    const shown = fine.lane(0, { from: a.from, to: a.to }, NOW);
    expect(shown.pieces).toEqual([full(child.from, child.to)]);
    expect(shown.loading[0]).toEqual({ from: a.from, to: child.from });
  });

  test("a moment", () => {
    const model = new CoverageModel(1);
    const named = { from: a.from + 10_000, to: a.from + 20_000, reason: "REFUSED", errorId: 4005 };
    model.put(a, [lane([full(a.from, a.from + 10_000), gap(named.from, named.to), full(named.to, a.to)], [named])], NOW);
    const shown = { from: a.from, to: b.to };
    expect(model.moment(0, a.from + 5000, shown, NOW)).toEqual({ state: "full", gap: null });
    expect(model.moment(0, a.from + 15_000, shown, NOW)).toEqual({ state: "gap", gap: named });
    expect(model.moment(0, b.from + 1, shown, NOW)).toEqual({ state: "loading", gap: null });
    expect(model.moment(0, NOW + 1000, { from: NOW, to: NOW + 2000 }, NOW).state).toBe("none");
  });
});

describe("land", () => {
  const recorded: [number, number][] = [[NOW - 100 * H, NOW - 90 * H], [NOW - 10 * H, NOW - 5 * H]];
  /** Like the server: runs, or buckets when they are told to be too many. */
  const server = (isBuckets: boolean) => async (from: number, to: number): Promise<LaneCoverage[]> => {
    const pieces: Piece[] = [];
    const gaps: LaneCoverage["gaps"] = [];
    if (isBuckets && to - from > 60_000) {
      const width = (to - from) / 10;
      for (let n = 0; n < 10; n++) {
        const [start, end] = [from + n * width, from + (n + 1) * width];
        const sum = recorded.reduce((sum, [a, b]) => sum + Math.max(0, Math.min(b, end) - Math.max(a, start)), 0);
        pieces.push({ from: start, to: end, state: sum <= 0 ? "gap" : sum > width - 500 ? "full" : "part" });
      }
      return [lane(pieces)];
    }
    let end = from;
    for (const [a, b] of recorded) {
      if (b <= from || a >= to) continue;
      if (a > end) pieces.push(gap(end, a));
      pieces.push(full(Math.max(a, from), Math.min(b, to)));
      end = Math.min(b, to);
    }
    if (end < to) gaps.push({ from: end, to, reason: "NO_SESSION", errorId: null });
    return [lane(pieces, gaps)];
  };
  const { signal } = new AbortController();

  test.each([false, true])("inside, in a gap, after all, with buckets %s", async (isBuckets) => {
    const load = server(isBuckets);
    expect(await land(NOW - 95 * H, NOW, load, signal)).toEqual({ asked: NOW - 95 * H, at: NOW - 95 * H, gap: null });

    const jumped = await land(NOW - 80 * H, NOW, load, signal);
    expect(jumped.asked).toBe(NOW - 80 * H);
    expect(Math.abs((jumped.at ?? 0) - (NOW - 10 * H))).toBeLessThanOrEqual(1000);
    expect(jumped.gap).toMatchObject({ from: NOW - 80 * H, to: jumped.at });

    expect(await land(NOW - 2 * H, NOW, load, signal)).toMatchObject({ at: null, gap: { from: NOW - 2 * H, to: NOW } });
    expect(await land(NOW + H, NOW, load, signal)).toMatchObject({ at: null });
  });

  test("looks a year ahead in few calls", async () => {
    let calls = 0;
    const landing = await land(NOW - 8760 * H, NOW, (from, to) => (calls++, server(false)(from, to)), signal);
    expect(landing.at).toBe(NOW - 100 * H);
    expect(calls).toBeLessThanOrEqual(6);
  });

  test("any lane counts", async () => {
    const load = async (from: number, to: number) => [lane([gap(from, to)]), lane([gap(from, from + 5000), full(from + 5000, to)])];
    expect((await land(NOW - H, NOW, load, signal)).at).toBe(NOW - H + 5000);
  });

  test("an abort ends it", async () => {
    const controller = new AbortController();
    const landing = land(NOW - 8760 * H, NOW, async () => (controller.abort(), []), controller.signal);
    await expect(landing).rejects.toThrow();
  });
});
