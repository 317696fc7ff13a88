// What the server's figures say, in words and tones.

import type { DiskHealth, Latency, ServerHealth } from "../../api/types.ts";
import { bytes, dateTime, number, span, t } from "../../app/i18n.ts";

/** Colour beside the words, never instead of them. */
export type Tone = "ok" | "warn" | "bad" | "none";

const DAY_MS = 86_400_000;
/** As GetServerHealth has it: a week is time to order a disk, two days are a weekend. */
const DAYS_WARN = 7;
const DAYS_BAD = 2;
/** Figures come every 5 s. */
const FRESH_MS = 15_000;
/** A rate of a few minutes foretells little. */
const DAY_RATE_SETTLED_S = 600;

/** How long the disk is enough. */
export function outlook(disk: DiskHealth): { words: string; tone: Tone } {
  const days = disk.DaysUntilFull;
  if (disk.Outlook === "MEASURING") return { words: t("server.measuring"), tone: "none" };
  if (disk.Outlook === "HOLDS" || days === null) return { words: t("server.holds"), tone: "ok" };
  const words = days < 1 ? t("server.fullIn", { span: span(days * DAY_MS) })
    : t("server.fullInDays", { n: days < 10 ? number(Math.floor(days * 10) / 10, 1) : number(Math.floor(days)) });
  return { words, tone: days < DAYS_BAD ? "bad" : days < DAYS_WARN ? "warn" : "ok" };
}

/** The instant at which it is full, with the days until then; null when it is not foretold. */
export function fullAt(disk: DiskHealth, nowMs: number): number | null {
  return disk.DaysUntilFull === null ? null : nowMs + disk.DaysUntilFull * DAY_MS;
}

/** Whether the forecast rests on little. */
export function isEarly(disk: DiskHealth): boolean {
  return disk.Outlook !== "MEASURING" && disk.DaySeconds < DAY_RATE_SETTLED_S;
}

/** Shares of the disk in percent: footage, others' files, free, and of the free what is kept back. */
export function shares(disk: DiskHealth): { footage: number; other: number; free: number; reserve: number } {
  const percent = (part: number) => (disk.TotalBytes > 0 ? Math.min(100, Math.max(0, (part / disk.TotalBytes) * 100)) : 0);
  const used = Math.max(0, disk.TotalBytes - disk.AvailableBytes);
  const footage = Math.min(used, disk.FootageBytes ?? 0);
  return {
    footage: percent(footage), other: percent(used - footage), free: percent(disk.AvailableBytes),
    reserve: percent(Math.min(disk.RefuseBelowBytes, disk.AvailableBytes)),
  };
}

export function perSecond(count: number): string {
  return `${bytes(count)}/s`;
}

/** "≤ 5 · ≤ 25 ms": half took no longer than the first, 99 of 100 no longer than the second. */
export function latencyWords({ Count, P50Milliseconds, P99Milliseconds }: Latency): string {
  if (Count === 0) return t("server.noneLately");
  const bound = (ms: number | null) => (ms === null ? "> 10 s" : `≤ ${number(ms, ms < 1 ? 2 : 0)} ms`);
  return `p50 ${bound(P50Milliseconds)} · p99 ${bound(P99Milliseconds)}`;
}

export function latencyTone({ Count, P99Milliseconds }: Latency, maxMs: number): Tone {
  if (Count === 0) return "none";
  return P99Milliseconds === null || P99Milliseconds > maxMs ? "warn" : "ok";
}

/** How old the figures are, when that is worth a word. */
export function staleMs(health: ServerHealth, nowMs: number, hasFailed: boolean): number | null {
  const age = Math.max(0, nowMs - health.Timestamp * 1000);
  return hasFailed || age > FRESH_MS ? age : null;
}

/** When the certificate ends: date, and how long until then. */
export function certificateWords(notAfter: number, nowMs: number): string {
  const left = notAfter * 1000 - nowMs;
  const date = dateTime(notAfter * 1000);
  return left <= 0 ? `${date} · ${t("server.expired")}` : `${date} · ${t("server.in", { span: span(left) })}`;
}
