// What a tile says of itself: never that an old picture is live.

import type { TileState } from "../../live/tile.ts";
import type { Tier } from "../../live/protocol.ts";
import type { Why } from "../../live/tiers.ts";

export type Mode =
  | "live"
  | "key"
  | "still"
  /** The picture is old, and is tried for again. */
  | "stale"
  /** Nothing was shown yet. */
  | "waiting"
  /** Nothing comes from the camera: no session, or a silent one. */
  | "off"
  | "denied"
  | "error"
  /** The browser cannot decode it, and the server makes no stills of it. */
  | "unplayable"
  /** The browser wants a click before it plays. */
  | "blocked";

export interface Shown {
  mode: Mode;
  /** Old by so much: of what is on screen, or since it was new. */
  ageMs: number | null;
  /** Of a trouble or a gap. */
  name: string;
  text: string;
  retries: number;
  /** Why it is not better. */
  why: Why;
  /** The video has a picture; else what is under it is seen. */
  hasVideo: boolean;
}

export type Group = "live" | "stale" | "still" | "down";

export interface Facts {
  /** Of the live feed; null where only stills are shown. */
  live: TileState | null;
  why: Why;
  /** Server's clock; epoch milliseconds. */
  now: number;
  /** Behind the camera, of the newest frame; null while not known. */
  delayMs: number | null;
  /** Of the still, epoch milliseconds. */
  stillAtMs: number | null;
  hasStill: boolean;
  /** One was asked for, and could not be made. */
  isStillRefused: boolean;
  /** The camera's clock is wrong by so much that delays say nothing. */
  isClockOff: boolean;
  /** The stream is known to have no camera now. */
  isOff: boolean;
  /** The stream cannot be asked about: name of the exception. */
  fault: string | null;
}

export function shownOf(facts: Facts): Shown {
  const shown = exact(facts);
  // Drawn anew only when there is something else to read.
  const { mode, ageMs } = shown;
  if (ageMs === null) return shown;
  const isDelay = mode === "live" || mode === "key";
  return { ...shown, ageMs: isDelay ? Math.round(ageMs / 100) * 100 : Math.floor(ageMs / 1000) * 1000 };
}

/** There is nothing new to read. */
export function isSame(one: Shown, other: Shown): boolean {
  return (Object.keys(one) as (keyof Shown)[]).every((key) => one[key] === other[key]);
}

function exact(facts: Facts): Shown {
  const { live, why, now, stillAtMs } = facts;
  const none = { ageMs: null, name: "", text: "", retries: live?.retries ?? 0, why, hasVideo: false };
  const stillAge = stillAtMs === null ? null : Math.max(0, now - stillAtMs);
  const without = facts.hasStill ? "still" : "waiting";
  if (!live) {
    if (facts.fault && !facts.hasStill) return { ...none, mode: isDenial(facts.fault) ? "denied" : "error", name: facts.fault };
    if (why === "codec" && !facts.hasStill && facts.isStillRefused) return { ...none, mode: "unplayable" };
    return { ...none, mode: facts.isOff ? "off" : without, ageMs: stillAge };
  }
  const { trouble, gap, freshness } = live;
  const hasVideo = live.wallMs !== null;
  if (trouble?.is === "denied") return { ...none, mode: "denied", name: trouble.name, text: trouble.text };
  if (trouble?.is === "fault" && trouble.fault === "blocked") return { ...none, mode: "blocked" };
  if (trouble?.is === "end" || (trouble?.is === "error" && freshness.is !== "live")) {
    return { ...none, mode: "error", name: trouble.name || "end", text: trouble.text, hasVideo };
  }
  if (gap) return { ...none, mode: "off", name: gap.reason, ageMs: Math.max(0, now - Date.parse(gap.from)), hasVideo };
  if (freshness.is === "stale" || !live.isLinked) {
    if (!hasVideo) return { ...none, mode: without, ageMs: stillAge };
    return { ...none, mode: "stale", ageMs: freshness.is === "stale" ? freshness.sinceMs : null, hasVideo };
  }
  if (freshness.is === "waiting") return { ...none, mode: without, ageMs: stillAge };
  const isKey = live.tier === "key";
  const age = isKey && live.wallMs !== null ? now - live.wallMs : facts.delayMs;
  return { ...none, mode: isKey ? "key" : "live", ageMs: facts.isClockOff || age === null ? null : Math.max(0, age), hasVideo };
}

export function groupOf(mode: Mode): Group {
  if (mode === "live" || mode === "key") return "live";
  if (mode === "stale") return "stale";
  return mode === "still" || mode === "waiting" ? "still" : "down";
}

/** A shape besides the colour. */
export const SIGNS: Record<Mode, string> = {
  live: "●", key: "◐", still: "▢", stale: "░", waiting: "▢", off: "○", denied: "✕", error: "✕", unplayable: "✕", blocked: "▷",
};

function isDenial(name: string): boolean {
  return name === "AccessDeniedException" || name === "NotAuthorizedException";
}

/** The action that is missing, out of the server's words. */
export function actionOf(text: string): string {
  return /perform: (\S+)/.exec(text)?.[1] ?? "kinesisvideo:GetMedia";
}

export const PINS: readonly (Tier | "auto")[] = ["auto", "still", "key", "full"];
