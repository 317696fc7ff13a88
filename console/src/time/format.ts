/** Durations, ages and times in a zone, as text. */

import type { Understood } from "./parse.ts";
import { type Wall, offsetAt, shiftDays, wallAt } from "./zone.ts";
import type { TimeWords } from "./words.ts";

export function fill(template: string, values: Record<string, string | number>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

const UNITS = [["d", 86_400_000], ["h", 3_600_000], ["m", 60_000], ["s", 1000]] as const;

/** The two largest units: `6 h 12 m`; below ten seconds with a tenth, below one in milliseconds. */
export function duration(ms: number, words: TimeWords): string {
  if (ms < 0) return `−${duration(-ms, words)}`;
  if (ms < 999.5) return fill(words.ms, { n: Math.round(ms) });
  if (ms < 9950) return fill(words.s, { n: decimal(ms / 1000, words) });
  // Rounded first: 59.6 s are 1 m, not 60 s.
  let rest = ms < 3_600_000 ? round(ms, 1000) : ms < 86_400_000 ? round(ms, 60_000) : round(ms, 3_600_000);
  const parts: string[] = [];
  for (const [unit, length] of UNITS) {
    const n = Math.floor(rest / length);
    rest -= n * length;
    if (n > 0) parts.push(fill(words[unit], { n }));
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(" ");
}

/** One unit, rounded down, as on a badge: `0.4 s`, `14 s`, `4 m`, `2 d`. */
export function age(ms: number, words: TimeWords): string {
  if (ms < 10_000) {
    return fill(words.s, { n: decimal(Math.floor(Math.max(ms, 0) / 100) / 10, words) });
  }
  const [unit, length] = UNITS.find(([, length]) => ms >= length) ?? UNITS[3];
  return fill(words[unit], { n: Math.floor(ms / length) });
}

/** How long ago, or in how long. */
export function relative(instant: number, now: number, words: TimeWords): string {
  return now >= instant
    ? fill(words.ago, { age: age(now - instant, words) })
    : fill(words.ahead, { age: age(instant - now, words) });
}

export type Precision = "m" | "s" | "ds" | "ms";

/** `14:05`, `14:05:12`, `14:05:12.4`, `14:05:12.480`. */
export function clock(instant: number, zone: string, precision: Precision = "s"): string {
  return wallClock(wallAt(instant, zone), precision);
}

export function wallClock(wall: Wall, precision: Precision = "s"): string {
  const { hour, minute, second, millisecond } = wall;
  let text = `${two(hour)}:${two(minute)}`;
  if (precision !== "m") text += `:${two(second)}`;
  if (precision === "ds") text += `.${Math.floor(millisecond / 100)}`;
  if (precision === "ms") text += `.${String(millisecond).padStart(3, "0")}`;
  return text;
}

/** `2026-11-20` or 2026年11月20日. */
export function date(instant: number, zone: string, words: TimeWords): string {
  return wallDate(wallAt(instant, zone), words);
}

function wallDate({ year, month, day }: Wall, words: TimeWords): string {
  if (words.dateStyle === "zh") return `${year}年${month}月${day}日`;
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`;
}

/** Date and time, with the zone: a time never stands without it. */
export function dateTime(instant: number, zone: string, words: TimeWords, precision: Precision = "s"): string {
  return `${date(instant, zone, words)} ${clock(instant, zone, precision)} ${zone}`;
}

/** `UTC+01:00`: what tells the two hours apart when the clocks are put back. */
export function offsetName(instant: number, zone: string): string {
  const minutes = Math.round(offsetAt(instant, zone) / 60_000);
  if (minutes === 0) return "UTC";
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? "−" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** A file's name has no colons: `20261120T140512.480+0100`. */
export function fileTime(instant: number, zone: string): string {
  const { year, month, day, hour, minute, second, millisecond } = wallAt(instant, zone);
  const minutes = Math.round(offsetAt(instant, zone) / 60_000);
  const size = Math.abs(minutes);
  const offset = minutes === 0 ? "Z" : `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}${two(size % 60)}`;
  const milliseconds = String(millisecond).padStart(3, "0");
  return `${String(year).padStart(4, "0")}${two(month)}${two(day)}T${two(hour)}${two(minute)}${two(second)}.${milliseconds}${offset}`;
}

/** What the time box shows before `Enter`. */
export function describe(understood: Understood, now: number, words: TimeWords): string {
  switch (understood.kind) {
    case "unreadable":
      return words[understood.why];
    case "fragment": {
      const { number, instant, zone } = understood;
      return instant === null
        ? fill(words.fragment, { number })
        : fill(words.fragmentAt, { time: dateTime(instant, zone, words, "ms") });
    }
    case "missing": {
      const { wall, skip, zone } = understood;
      return fill(words.missing, {
        wall: `${wallDate(wall, words)} ${wallClock(wall, "m")} ${zone}`,
        before: wallClock(skip.before, "m"),
        after: wallClock(skip.after, "m"),
      });
    }
    case "instant": {
      const { instants, zone } = understood;
      const [first, second] = instants;
      if (second !== undefined) {
        return fill(words.twice, {
          wall: `${date(first, zone, words)} ${clock(first, zone, precisionOf(first))} ${zone}`,
          first: offsetName(first, zone),
          second: offsetName(second, zone),
        });
      }
      const day = dayWord(first, now, zone, words);
      const time = dateTime(first, zone, words, precisionOf(first));
      return fill(words.once, { time: day ? `${day} ${time}` : time, age: relative(first, now, words) });
    }
  }
}

/** Today and yesterday by name. */
export function dayWord(instant: number, now: number, zone: string, words: TimeWords): string | null {
  const today = wallAt(now, zone);
  const day = date(instant, zone, words);
  if (day === wallDate(today, words)) return words.today;
  if (day === wallDate(shiftDays(today, -1), words)) return words.yesterday;
  return null;
}

function precisionOf(instant: number): Precision {
  return instant % 1000 !== 0 ? "ms" : "s";
}

function decimal(value: number, words: TimeWords): string {
  return value.toLocaleString(words.locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

function round(value: number, step: number): number {
  return Math.round(value / step) * step;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
