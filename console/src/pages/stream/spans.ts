// How much of time the timeline shows, as in `span=1h`, and following what is live.

import { type View, SPAN_MAX_MS, SPAN_MIN_MS, centred, spanOf } from "../../timeline/view.ts";

const UNIT_MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export const SPANS: readonly number[] = ["10s", "1m", "10m", "1h", "6h", "1d", "7d", "30d", "365d"].map((text) => spanFrom(text));
export const SPAN_DEFAULT = 3_600_000;

/** Of a URL's `span`; an hour when it is none. */
export function spanFrom(text: string | undefined): number {
  const [, count, unit = ""] = /^(\d{1,6})([smhd])$/.exec(text ?? "") ?? [];
  const ms = Number(count) * (UNIT_MS[unit] ?? Number.NaN);
  return Number.isFinite(ms) ? Math.min(SPAN_MAX_MS, Math.max(SPAN_MIN_MS, ms)) : SPAN_DEFAULT;
}

/** `90m`, `1h`: the largest unit that it is a whole number of, to the second. */
export function spanText(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000)) * 1000;
  const unit = ["d", "h", "m"].find((unit) => seconds % (UNIT_MS[unit] ?? 1) === 0) ?? "s";
  return `${seconds / (UNIT_MS[unit] ?? 1000)}${unit}`;
}

/** Live, the playhead stands here, with some room for what comes. */
const LIVE_AT = 0.85;
const LIVE_AT_MOST = 0.94;

export function liveView(at: number, span: number): View {
  return { from: at - LIVE_AT * span, to: at + (1 - LIVE_AT) * span };
}

/** The view moves on with a live playhead that was in it; whoever looks elsewhere is left alone. */
export function followed(view: View, before: number | null, at: number): View | null {
  const span = spanOf(view);
  if (before === null || before < view.from || before > view.to) return null;
  return at > view.from + LIVE_AT_MOST * span ? liveView(at, span) : null;
}

/** Another span, around what is looked at. */
export function resized(view: View, span: number, playhead: number | null, isLive: boolean): View {
  const isShown = playhead !== null && playhead >= view.from && playhead <= view.to;
  if (!isShown) return centred((view.from + view.to) / 2, span);
  return isLive ? liveView(playhead, span) : centred(playhead, span);
}
