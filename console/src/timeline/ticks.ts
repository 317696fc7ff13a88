/** Where the ruler has lines and what they say, by the clocks of a zone. */

import { clock } from "../time/format.ts";
import { DAY_MS, firstInstant, instantsOf, offsetAt, startOfDay, wallAt } from "../time/zone.ts";
import { type View, spanOf } from "./view.ts";

export interface Tick {
  at: number;
  label: string;
  /** Begins a day, or a month or year where days are too many. */
  isMajor: boolean;
}

const H = 3_600_000;
const SHORT_MS = [
  100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, H,
];
const HOURS = [2, 3, 6, 12];
const DAYS = [1, 2, 7];
const MONTHS = [1, 3, 6, 12];
const MONTH_MS = 30.4 * DAY_MS;

/** At most `count` ticks, or a few more where months differ. */
export function ticks(view: View, zone: string, locale: string, count: number): Tick[] {
  const step = spanOf(view) / Math.max(1, count);
  const short = SHORT_MS.find((ms) => ms >= step);
  if (short !== undefined) return shortTicks(view, zone, locale, short);
  const hours = HOURS.find((hours) => hours * H >= step);
  if (hours !== undefined) return hourTicks(view, zone, locale, hours);
  const days = DAYS.find((days) => days * DAY_MS >= step);
  if (days !== undefined) return dayTicks(view, zone, locale, days);
  return monthTicks(view, zone, locale, MONTHS.find((months) => months * MONTH_MS >= step) ?? 12);
}

/** Up to an hour: equal steps, set right again where the clocks change. */
function shortTicks(view: View, zone: string, locale: string, step: number): Tick[] {
  const out: Tick[] = [];
  const precision = step < 1000 ? "ds" : step < 60_000 ? "s" : "m";
  let at = Math.ceil(view.from);
  while (at <= view.to) {
    const past = modulo(at + offsetAt(at, zone), step);
    if (past !== 0) {
      at += step - past;
      // The step to the next tick may have crossed a change.
      if (modulo(at + offsetAt(at, zone), step) !== 0) continue;
      if (at > view.to) break;
    }
    const { hour, minute, second, millisecond } = wallAt(at, zone);
    const isMajor = hour + minute + second + millisecond === 0;
    out.push({ at, label: isMajor ? dayLabel(at, zone, locale) : clock(at, zone, precision), isMajor });
    at += step;
  }
  return out;
}

function hourTicks(view: View, zone: string, locale: string, hours: number): Tick[] {
  const out: Tick[] = [];
  for (let day = startOfDay(view.from, zone); day <= view.to; day = startOfDay(day, zone, 1)) {
    if (day >= view.from) out.push({ at: day, label: dayLabel(day, zone, locale), isMajor: true });
    const wall = { ...wallAt(day, zone), hour: 0, minute: 0, second: 0, millisecond: 0 };
    for (let hour = hours; hour < 24; hour += hours) {
      const at = instantsOf({ ...wall, hour }, zone)[0];
      if (at === undefined || at < view.from || at > view.to) continue;
      out.push({ at, label: clock(at, zone, "m"), isMajor: false });
    }
  }
  return out;
}

function dayTicks(view: View, zone: string, locale: string, days: number): Tick[] {
  const out: Tick[] = [];
  for (let day = startOfDay(view.from, zone); day <= view.to; day = startOfDay(day, zone, 1)) {
    const number = Math.floor((day + offsetAt(day, zone)) / DAY_MS);
    // Day 0 was a Thursday; weeks begin on Monday.
    const isDue = days === 7 ? modulo(number + 3, 7) === 0 : number % days === 0;
    if (!isDue || day < view.from) continue;
    out.push({ at: day, label: dayLabel(day, zone, locale), isMajor: wallAt(day, zone).day === 1 });
  }
  return out;
}

function monthTicks(view: View, zone: string, locale: string, months: number): Tick[] {
  const out: Tick[] = [];
  const start = wallAt(view.from, zone);
  for (let index = start.year * 12; ; index += months) {
    const [year, month] = [Math.floor(index / 12), (index % 12) + 1];
    const at = firstInstant({ year, month, day: 1, hour: 0, minute: 0, second: 0, millisecond: 0 }, zone);
    if (at > view.to) return out;
    if (at < view.from) continue;
    out.push({ at, label: monthLabel(at, zone, locale), isMajor: month === 1 });
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

function labelOf(at: number, zone: string, locale: string, options: Intl.DateTimeFormatOptions): string {
  const name = `${locale} ${zone} ${Object.keys(options).join()}`;
  let format = formats.get(name);
  if (!format) {
    format = new Intl.DateTimeFormat(locale, { ...options, timeZone: zone });
    formats.set(name, format);
  }
  return format.format(at);
}

function dayLabel(at: number, zone: string, locale: string): string {
  return labelOf(at, zone, locale, { day: "numeric", month: "short" });
}

function monthLabel(at: number, zone: string, locale: string): string {
  return labelOf(at, zone, locale, { month: "short", year: "numeric" });
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
