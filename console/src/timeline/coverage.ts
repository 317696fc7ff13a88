/** What GetCoverage says of streams, read with suspicion, as pieces in order of time. */

export interface Gap {
  from: number;
  to: number;
  /** NO_SESSION and its like; UNKNOWN where the answer had only buckets. */
  reason: string;
  errorId: number | null;
}

/** `part`: there are gaps in it too narrow for the answer. */
export type PieceState = "full" | "part" | "gap";

export interface Piece {
  from: number;
  to: number;
  state: PieceState;
}

export interface LaneCoverage {
  /** Rising, without overlap. What lies between two pieces is not known. */
  pieces: Piece[];
  gaps: Gap[];
  /** Why the stream cannot be shown: the name of the exception. */
  error: string | null;
}

/** A shorter hole is none: as the server has it. */
export const GAP_MS_MIN = 1000;
/** Of a gap of a second, half a second or more is missing in one of two neighbouring buckets. */
const MISSING_MS_MIN = GAP_MS_MIN / 2;

/** The lanes of an answer of GetCoverage for a range, in its order. Throws a TypeError when it is none. */
export function readCoverage(answer: unknown, from: number, to: number, now: number): LaneCoverage[] {
  return list(record(answer).Streams).map((entry) => {
    const stream = record(entry);
    if (stream.Error) {
      const { Code } = record(stream.Error);
      return { pieces: [], gaps: [], error: typeof Code === "string" ? Code : "Unknown" };
    }
    const gaps = list(stream.Gaps ?? []).map(gapOf);
    const pieces = stream.Buckets
      ? ofBuckets(record(stream.Buckets), from, to, now)
      : ofRuns(list(stream.Runs ?? []).map(runOf), gaps, from, to);
    return { pieces, gaps, error: null };
  });
}

function ofRuns(runs: Piece[], gaps: Gap[], from: number, to: number): Piece[] {
  const pieces: Piece[] = [];
  let end = from;
  for (const run of runs) {
    const start = Math.max(run.from, end);
    // Also where the answer names no gap: what is between two runs is not recorded.
    if (start - end >= GAP_MS_MIN) pieces.push({ from: end, to: start, state: "gap" });
    const last = pieces.at(-1);
    if (start < Math.min(run.to, to)) {
      if (last?.state === "full") last.to = run.to;
      else pieces.push({ from: start - end < GAP_MS_MIN ? end : start, to: run.to, state: "full" });
    }
    end = Math.max(end, run.to);
  }
  // After the last run, only what the answer calls a gap is one: the rest is arriving or to come.
  for (const gap of gaps) {
    if (gap.to <= end) continue;
    pieces.push({ from: Math.max(gap.from, end), to: gap.to, state: "gap" });
    end = gap.to;
  }
  return joined(pieces);
}

function ofBuckets(buckets: Record<string, unknown>, from: number, to: number, now: number): Piece[] {
  const width = number(buckets.BucketSeconds) * 1000;
  if (!(width > 0)) throw new TypeError("BucketSeconds is not above 0");
  const pieces: Piece[] = [];
  list(buckets.RecordedSeconds).forEach((seconds, index) => {
    const start = from + index * width;
    const end = Math.min(start + width, to, now);
    if (start >= end) return;
    const recorded = number(seconds) * 1000;
    const missing = end - start - recorded;
    const state = recorded <= 0 ? "gap" : missing >= MISSING_MS_MIN ? "part" : "full";
    pieces.push({ from: start, to: end, state });
  });
  return joined(pieces);
}

/** Neighbours of one state become one. */
export function joined(pieces: Piece[]): Piece[] {
  const out: Piece[] = [];
  for (const piece of pieces) {
    const last = out.at(-1);
    if (last && last.state === piece.state && piece.from <= last.to) last.to = Math.max(last.to, piece.to);
    else out.push({ ...piece });
  }
  return out;
}

/** The part of the pieces inside a range. */
export function clipped(pieces: readonly Piece[], from: number, to: number): Piece[] {
  const out: Piece[] = [];
  for (const piece of pieces) {
    const start = Math.max(piece.from, from);
    const end = Math.min(piece.to, to);
    if (start < end) out.push({ from: start, to: end, state: piece.state });
  }
  return out;
}

function runOf(value: unknown): Piece {
  const { from, to } = rangeOf(record(value));
  return { from, to, state: "full" };
}

function gapOf(value: unknown): Gap {
  const gap = record(value);
  const reason = typeof gap.Reason === "string" ? gap.Reason : "UNKNOWN";
  return { ...rangeOf(gap), reason, errorId: typeof gap.ErrorId === "number" ? gap.ErrorId : null };
}

function rangeOf(value: Record<string, unknown>): { from: number; to: number } {
  // Seconds as a double: back to the milliseconds they were.
  return {
    from: Math.round(number(value.StartTimestamp) * 1000),
    to: Math.round(number(value.EndTimestamp) * 1000),
  };
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null) throw new TypeError("not an object");
  return value as Record<string, unknown>;
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new TypeError("not a list");
  return value;
}

function number(value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new TypeError("not a number");
  return value;
}
