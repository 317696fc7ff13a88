// Why nothing is recorded, in words.

import { type Key, t } from "../../app/i18n.ts";
import { timeWords } from "../../app/understood.ts";
import { clock, dateTime, duration } from "../../time/format.ts";
import type { Gap } from "../../timeline/coverage.ts";

const REASONS: Record<string, Key> = {
  NO_SESSION: "gap.NO_SESSION",
  NO_MEDIA: "gap.NO_MEDIA",
  REFUSED: "gap.REFUSED",
  EXPIRED: "gap.EXPIRED",
  DELETED: "gap.DELETED",
  DAMAGED: "gap.DAMAGED",
  SERVER_STOPPED: "gap.SERVER_STOPPED",
  KEY_DISABLED: "gap.KEY_DISABLED",
  CLOCK_JUMP: "gap.CLOCK_JUMP",
  NOT_CREATED: "gap.NOT_CREATED",
};

export function reasonWords({ reason, errorId }: Pick<Gap, "reason" | "errorId">): string {
  const words = t(REASONS[reason] ?? "gap.UNKNOWN");
  return errorId === null ? words : `${words} (${errorId})`;
}

/** "13:44:10–13:44:52 (42.0 s)", with the day where they are not of one. */
export function rangeWords(from: number, to: number, zone: string): string {
  const words = timeWords();
  const length = duration(to - from, words);
  const isLong = to - from >= 86_400_000;
  const [start, end] = isLong
    ? [dateTime(from, zone, words), dateTime(to, zone, words)]
    : [clock(from, zone), clock(to, zone)];
  return `${start}–${end} (${length})`;
}
