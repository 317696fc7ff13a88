/** Which coverage is wanted for a view, what is kept of it, and what is known of a moment. */

import { type Gap, type LaneCoverage, type Piece, GAP_MS_MIN, clipped, joined } from "./coverage.ts";
import { type View, spanOf } from "./view.ts";

/** A stretch of one zoom level: 2^level seconds, at a multiple of that since 1970. */
export interface Tile {
  level: number;
  index: number;
  from: number;
  to: number;
}

/** What may be known of a moment besides the states of a piece. */
export type MomentState = Piece["state"] | "loading" | "none";

export interface LaneView {
  pieces: Piece[];
  /** Where nothing is known yet. */
  loading: { from: number; to: number }[];
  gaps: Gap[];
  error: string | null;
}

interface Kept {
  tile: Tile;
  lanes: LaneCoverage[];
  loadedAt: number;
  usedAt: number;
}

/** Points of all streams that one GetCoverage may give. */
const POINTS_MAX_ALL = 100_000;
const POINTS_MAX = 2048;
const TILES_MAX = 96;
/** Retention and people delete: what is old is asked for again. */
const OLD_MS = 300_000;
const FRESH_MS_MIN = 2000;
const LEVEL_MAX = 27;

export function tileAt(level: number, index: number): Tile {
  const width = 1000 * 2 ** level;
  return { level, index, from: index * width, to: (index + 1) * width };
}

/** The finest level of which three tiles always cover the span. */
export function levelFor(span: number): number {
  return Math.min(LEVEL_MAX, Math.max(0, Math.ceil(Math.log2(span / 2000))));
}

export class CoverageModel {
  readonly maxPoints: number;
  #kept = new Map<string, Kept>();

  constructor(readonly laneCount: number) {
    this.maxPoints = Math.max(1, Math.min(POINTS_MAX, Math.floor(POINTS_MAX_ALL / Math.max(1, laneCount))));
  }

  /** What to load for a view, the middle first. Nothing of the future. */
  wanted(view: View, now: number): Tile[] {
    const middle = (view.from + view.to) / 2;
    return this.#tiles(view)
      .filter((tile) => tile.from < now && this.#isOld(tile, now))
      .sort((a, b) => distance(a, middle) - distance(b, middle));
  }

  /** Keeps an answer. */
  put(tile: Tile, lanes: LaneCoverage[], now: number): void {
    this.#kept.set(key(tile), { tile, lanes, loadedAt: now, usedAt: now });
    if (this.#kept.size <= TILES_MAX) return;
    const oldest = [...this.#kept.entries()].sort((a, b) => a[1].usedAt - b[1].usedAt);
    for (const [name] of oldest.slice(0, this.#kept.size - TILES_MAX)) this.#kept.delete(name);
  }

  /** Forgets everything, as after a deletion. */
  clear(): void {
    this.#kept.clear();
  }

  /** What is known of a lane inside a view: of the wanted level, else of a coarser one, else of finer ones. */
  lane(lane: number, view: View, now: number): LaneView {
    const out: LaneView = { pieces: [], loading: [], gaps: [], error: null };
    for (const tile of this.#tiles(view)) {
      if (tile.from >= now) continue;
      this.#collect(lane, tile, now, out);
    }
    out.pieces = bridged(joined(clipped(out.pieces, view.from, view.to)));
    out.loading = out.loading
      .map(({ from, to }) => ({ from: Math.max(from, view.from), to: Math.min(to, view.to, now) }))
      .filter(({ from, to }) => from < to);
    return out;
  }

  /** What is known of a lane at an instant. */
  moment(lane: number, at: number, view: View, now: number): { state: MomentState; gap: Gap | null } {
    const { pieces, loading, gaps } = this.lane(lane, view, now);
    const piece = pieces.find(({ from, to }) => from <= at && at < to);
    if (!piece) {
      return { state: loading.some(({ from, to }) => from <= at && at < to) ? "loading" : "none", gap: null };
    }
    if (piece.state !== "gap") return { state: piece.state, gap: null };
    const named = gaps.find(({ from, to }) => from <= at && at < to);
    return { state: "gap", gap: named ?? { from: piece.from, to: piece.to, reason: "UNKNOWN", errorId: null } };
  }

  #tiles(view: View): Tile[] {
    const level = levelFor(spanOf(view));
    const width = 1000 * 2 ** level;
    const tiles: Tile[] = [];
    for (let index = Math.floor(view.from / width); index * width < view.to; index++) tiles.push(tileAt(level, index));
    return tiles;
  }

  #isOld(tile: Tile, now: number): boolean {
    const kept = this.#kept.get(key(tile));
    if (!kept) return true;
    // A point of the tile must pass before its end can look different.
    const point = (tile.to - tile.from) / this.maxPoints;
    const limit = tile.to > kept.loadedAt ? Math.min(OLD_MS, Math.max(FRESH_MS_MIN, point)) : OLD_MS;
    return now - kept.loadedAt >= limit;
  }

  #collect(lane: number, tile: Tile, now: number, out: LaneView): void {
    const own = this.#kept.get(key(tile));
    if (own) {
      this.#take(own, lane, tile, now, out);
      return;
    }
    for (let level = tile.level + 1; level <= LEVEL_MAX; level++) {
      const coarse = this.#kept.get(key(tileAt(level, Math.floor(tile.index / 2 ** (level - tile.level)))));
      if (!coarse) continue;
      this.#take(coarse, lane, tile, now, out);
      return;
    }
    const finer = [...this.#kept.values()]
      .filter((kept) => kept.tile.level < tile.level && kept.tile.from < tile.to && kept.tile.to > tile.from)
      .sort((a, b) => a.tile.from - b.tile.from || b.tile.level - a.tile.level);
    let end = tile.from;
    for (const kept of finer) {
      if (kept.tile.from < end) continue;
      if (kept.tile.from > end) out.loading.push({ from: end, to: kept.tile.from });
      this.#take(kept, lane, kept.tile, now, out);
      end = kept.tile.to;
    }
    if (end < tile.to) out.loading.push({ from: end, to: tile.to });
  }

  #take(kept: Kept, lane: number, tile: Tile, now: number, out: LaneView): void {
    kept.usedAt = now;
    const coverage = kept.lanes[lane];
    if (!coverage) return;
    out.error ??= coverage.error;
    out.pieces.push(...clipped(coverage.pieces, tile.from, tile.to));
    for (const gap of coverage.gaps) {
      if (gap.from < tile.to && gap.to > tile.from && !out.gaps.some((known) => known.from === gap.from)) {
        const last = out.gaps.at(-1);
        // One gap that the edge of a tile has cut.
        if (last && last.to === gap.from && last.reason === gap.reason) last.to = gap.to;
        else out.gaps.push({ ...gap });
      }
    }
  }
}

/** Where two tiles meet, a hole of less than a second is none. */
function bridged(pieces: Piece[]): Piece[] {
  const out: Piece[] = [];
  for (const piece of pieces) {
    const last = out.at(-1);
    const isShort = piece.state === "gap" && piece.to - piece.from < GAP_MS_MIN;
    if (last && isShort && last.state !== "gap") last.to = piece.to;
    else if (last && last.state === piece.state && piece.from - last.to < GAP_MS_MIN) last.to = piece.to;
    else out.push({ ...piece });
  }
  return out;
}

export type LoadCoverage = (from: number, to: number, maxPoints: number, signal: AbortSignal) => Promise<LaneCoverage[]>;

export interface Landing {
  /** What was asked for. */
  asked: number;
  /** The same, or the next recorded moment; null when nothing is recorded from there to now. */
  at: number | null;
  /** What was jumped over. */
  gap: Gap | null;
}

const LOOK_MS = 3_600_000;
const LOOK_POINTS = 1000;

/** Where a click ends: never silently elsewhere. Looks further and further ahead until now, in all lanes. */
export async function land(asked: number, now: number, load: LoadCoverage, signal: AbortSignal): Promise<Landing> {
  let gap: Gap | null = null;
  let window = LOOK_MS;
  let from = Math.floor(asked);
  while (from < now) {
    const to = Math.min(now, from + window);
    const lanes = await load(from, to, LOOK_POINTS, signal);
    signal.throwIfAborted();
    gap ??= lanes.flatMap((lane) => lane.gaps).find((gap) => gap.from <= asked + GAP_MS_MIN && gap.to > asked) ?? null;
    const piece = firstRecorded(lanes, asked);
    if (!piece) {
      from = to;
      window *= 16;
      continue;
    }
    const at = Math.max(piece.from, asked);
    // A part-full bucket begins somewhere inside: look closer, unless there is nothing closer.
    if (piece.state === "part" && to - from > GAP_MS_MIN) {
      from = Math.floor(at);
      window = Math.max(GAP_MS_MIN, Math.min((to - from) / 4, piece.to - at));
      continue;
    }
    return at - asked < GAP_MS_MIN ? { asked, at: asked, gap: null } : { asked, at, gap: widened(gap, asked, at) };
  }
  return { asked, at: null, gap: widened(gap, asked, now) };
}

/** What of any lane is recorded first after an instant. */
function firstRecorded(lanes: readonly LaneCoverage[], asked: number): Piece | null {
  let best: Piece | null = null;
  for (const { pieces } of lanes) {
    const piece = pieces.find((piece) => piece.state !== "gap" && piece.to > asked);
    if (!piece) continue;
    const [start, bestStart] = [Math.max(piece.from, asked), best ? Math.max(best.from, asked) : Infinity];
    if (start < bestStart || (start === bestStart && piece.state === "full")) best = piece;
  }
  return best;
}

/** A range that begins inside a gap shows only the rest of it. */
function widened(gap: Gap | null, from: number, to: number): Gap {
  return gap ? { ...gap, from: Math.min(gap.from, from), to } : { from, to, reason: "UNKNOWN", errorId: null };
}

function distance(tile: Tile, at: number): number {
  return Math.abs((tile.from + tile.to) / 2 - at);
}

function key(tile: Tile): string {
  return `${tile.level}:${tile.index}`;
}
