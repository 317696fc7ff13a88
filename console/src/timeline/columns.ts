/** Coverage as one state for each device pixel of a lane. */

import type { Piece } from "./coverage.ts";
import { type View, xOf } from "./view.ts";

export const NONE = 0;
export const GAP = 1;
export const PART = 2;
export const FULL = 3;
export const LOADING = 4;

/**
 * A gap is at least one pixel wide however far out, and a recording too: where both are narrower than
 * a pixel and meet in it, it shows as part full.
 */
export function columns(
  pieces: readonly Piece[], loading: readonly { from: number; to: number }[], view: View, width: number,
): Uint8Array {
  const out = new Uint8Array(width);
  for (const { from, to } of loading) {
    out.fill(LOADING, Math.floor(within(view, from, width)), Math.ceil(within(view, to, width)));
  }
  for (const state of ["full", "part"] as const) {
    for (const piece of pieces) {
      if (piece.state !== state) continue;
      const [start, end] = touched(piece, view, width);
      out.fill(state === "full" ? FULL : PART, start, end);
    }
  }
  for (const piece of pieces) {
    if (piece.state !== "gap" || piece.to <= view.from || piece.from >= view.to) continue;
    // Edges to the nearest pixel, so that neither side grows by it.
    const start = Math.round(within(view, piece.from, width));
    const end = Math.round(within(view, piece.to, width));
    if (start < end) out.fill(GAP, start, end);
    else out[pixelOf(piece, view, width)] = GAP;
  }
  for (const piece of pieces) {
    if (piece.state === "gap" || piece.to <= view.from || piece.from >= view.to) continue;
    const [start, end] = touched(piece, view, width);
    if (!out.subarray(start, end).some((state) => state === FULL || state === PART)) {
      out[pixelOf(piece, view, width)] = PART;
    }
  }
  return out;
}

/** Calls back for each stretch of equal columns. */
export function stretches(states: Uint8Array, each: (start: number, end: number, state: number) => void): void {
  let start = 0;
  for (let x = 1; x <= states.length; x++) {
    if (x < states.length && states[x] === states[start]) continue;
    each(start, x, states[start] ?? NONE);
    start = x;
  }
}

function within(view: View, at: number, width: number): number {
  return Math.min(width, Math.max(0, xOf(view, at, width)));
}

/** Start and end of the pixels that a piece touches. */
function touched(piece: Piece, view: View, width: number): [number, number] {
  return [Math.floor(within(view, piece.from, width)), Math.ceil(within(view, piece.to, width))];
}

/** The pixel in the middle of what of the piece is in view. */
function pixelOf(piece: Piece, view: View, width: number): number {
  const middle = (within(view, piece.from, width) + within(view, piece.to, width)) / 2;
  return Math.min(width - 1, Math.floor(middle));
}
