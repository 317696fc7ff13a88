/** What part of time is shown: arithmetic of pan and zoom. Instants are milliseconds since 1970. */

export interface View {
  from: number;
  to: number;
}

export const SPAN_MIN_MS = 2000;
export const SPAN_MAX_MS = 731 * 86_400_000;
/** A view ends at most this part of its span after now: the future has nothing to show. */
const AHEAD = 0.5;

export function spanOf(view: View): number {
  return view.to - view.from;
}

export function xOf(view: View, at: number, width: number): number {
  return ((at - view.from) / spanOf(view)) * width;
}

export function timeAt(view: View, x: number, width: number): number {
  return view.from + (x / width) * spanOf(view);
}

export function pan(view: View, byMs: number): View {
  return { from: view.from + byMs, to: view.to + byMs };
}

/** `factor` below 1 shows less time. `at` keeps its place on screen. */
export function zoom(view: View, at: number, factor: number): View {
  const span = Math.min(SPAN_MAX_MS, Math.max(SPAN_MIN_MS, spanOf(view) * factor));
  const part = (at - view.from) / spanOf(view);
  const from = at - part * span;
  return { from, to: from + span };
}

export function centred(at: number, span: number): View {
  return { from: at - span / 2, to: at + span / 2 };
}

/** Keeps the view out of the far future and of the time before 1970. */
export function clamp(view: View, now: number): View {
  const span = Math.min(SPAN_MAX_MS, Math.max(SPAN_MIN_MS, spanOf(view)));
  const to = Math.min(Math.max(view.to, span), now + span * AHEAD);
  return { from: to - span, to };
}
