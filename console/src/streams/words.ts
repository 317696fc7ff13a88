// A stream's state, codec and rate in words. Off, silent and refused have different cures, so they
// are never one word.

import type { HealthEntry, StreamHealth, StreamState } from "../api/types.ts";
import { type Key, bitRate, number, span, t } from "../app/i18n.ts";

export const STATE_KEYS: Record<StreamState, Key> = {
  LIVE: "state.live",
  SILENT: "state.silent",
  REFUSED: "state.refused",
  OFF: "state.off",
};

/** A shape beside the word: colour alone says nothing to some. */
export const STATE_SIGNS: Record<StreamState, string> = { LIVE: "●", SILENT: "◌", REFUSED: "✕", OFF: "○" };

export function isHealth(entry: HealthEntry | undefined): entry is StreamHealth {
  return entry !== undefined && entry.Error === null;
}

/** "live for 6 h", "refused 4009 for 3 s". */
export function stateWords(health: StreamHealth, nowMs: number): string {
  const word = t(STATE_KEYS[health.State]);
  const error = health.State === "REFUSED" && health.LastError ? ` ${health.LastError.ErrorId}` : "";
  const since = health.StateSince ?? health.LastFragment?.ServerTimestamp;
  return since ? t("state.for", { state: word + error, span: span(nowMs - since * 1000) }) : word + error;
}

const CODECS: Record<string, string> = {
  "V_MPEG4/ISO/AVC": "H.264",
  "V_MPEG/ISO/AVC": "H.264",
  "V_MPEGH/ISO/HEVC": "H.265",
  A_AAC: "AAC",
  A_OPUS: "Opus",
  "A_MS/ACM": "G.711",
};

export function codecName(id: string): string {
  return CODECS[id] ?? id;
}

export function videoCodec(health: StreamHealth): string | null {
  const id = health.CodecIds.find((codec) => codec.startsWith("V_"));
  return id ? codecName(id) : null;
}

/** "H.264 1080p25 · AAC"; empty when nothing is known. */
export function mediaWords(health: StreamHealth): string {
  const video = health.CodecIds.filter((id) => id.startsWith("V_")).map(codecName).join(" ");
  const sound = health.CodecIds.filter((id) => id.startsWith("A_")).map(codecName).join(" ");
  const rate = health.FramesPerSecond ? number(Math.round(health.FramesPerSecond)) : "";
  const size = health.HeightPixels ? `${health.HeightPixels}p${rate}` : rate && `${rate} fps`;
  return [[video, size].filter(Boolean).join(" "), sound].filter(Boolean).join(" · ");
}

export function rateWords(health: StreamHealth): string {
  const rate = health.BitsPerSecond ?? health.MinuteBitsPerSecond;
  return health.State === "LIVE" && rate ? bitRate(rate) : "";
}
