/** Wall time and instants in an IANA zone, by Intl alone. Instants are milliseconds since 1970. */

export interface Wall {
  year: number;
  /** 1..12 */
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  millisecond: number;
}

/** A stretch of wall time that the clocks jump over. */
export interface Skip {
  /** The instant of the change. */
  at: number;
  before: Wall;
  after: Wall;
}

export const DAY_MS = 86_400_000;

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string): Intl.DateTimeFormat {
  let found = formats.get(zone);
  if (!found) {
    found = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      calendar: "gregory",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formats.set(zone, found);
  }
  return found;
}

export function isZone(zone: string): boolean {
  try {
    format(zone);
    return true;
  } catch {
    return false;
  }
}

/** The browser's own zone. */
export function ownZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function wallAt(instant: number, zone: string): Wall {
  return wallOfUtc(instant + offsetAt(instant, zone));
}

/** How far the zone is ahead of UTC, in milliseconds. */
export function offsetAt(instant: number, zone: string): number {
  const second = Math.floor(instant / 1000) * 1000;
  const fields: Record<string, number> = {};
  for (const { type, value } of format(zone).formatToParts(second)) {
    fields[type] = Number(value);
  }
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second: s = 0 } = fields;
  return Date.UTC(year, month - 1, day, hour, minute, s) - second;
}

/** The instants that show this wall time: one, two when the clocks were put back, or none. */
export function instantsOf(wall: Wall, zone: string): number[] {
  const utc = utcOf(wall);
  const offsets = new Set([offsetAt(utc - DAY_MS, zone), offsetAt(utc + DAY_MS, zone)]);
  return [...offsets]
    .map((offset) => utc - offset)
    .filter((instant) => instant + offsetAt(instant, zone) === utc)
    .sort((a, b) => a - b);
}

/** The change that jumps over a wall time of which there is no instant. */
export function skipOver(wall: Wall, zone: string): Skip {
  const utc = utcOf(wall);
  const old = offsetAt(utc - DAY_MS, zone);
  const now = offsetAt(utc + DAY_MS, zone);
  let low = utc - Math.max(old, now);
  let high = utc - Math.min(old, now);
  // The old offset holds at `low`, the new one at `high`.
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle, zone) === old) low = middle;
    else high = middle;
  }
  return { at: high, before: wallOfUtc(high + old), after: wallOfUtc(high + now) };
}

/** The first instant of this wall time, or of what follows when the clocks jump over it. */
export function firstInstant(wall: Wall, zone: string): number {
  return instantsOf(wall, zone)[0] ?? skipOver(wall, zone).at;
}

/** When the day of this instant begins there, or the one so many days later. */
export function startOfDay(instant: number, zone: string, days = 0): number {
  return firstInstant(shiftDays({ ...wallAt(instant, zone), ...MIDNIGHT }, days), zone);
}

const MIDNIGHT = { hour: 0, minute: 0, second: 0, millisecond: 0 };

export function shiftDays(wall: Wall, days: number): Wall {
  return wallOfUtc(utcOf(wall) + days * DAY_MS);
}

/** Whether there is such a date and such a time. */
export function isWall(wall: Wall): boolean {
  const utc = utcOf(wall);
  if (!Number.isFinite(utc)) return false;
  const same = wallOfUtc(utc);
  return (Object.keys(same) as (keyof Wall)[]).every((field) => same[field] === wall[field]);
}

/** The wall time taken as if it were UTC. */
export function utcOf(wall: Wall): number {
  const { year, month, day, hour, minute, second, millisecond } = wall;
  return Date.UTC(year, month - 1, day, hour, minute, second, millisecond);
}

export function wallOfUtc(utc: number): Wall {
  const date = new Date(utc);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    millisecond: date.getUTCMilliseconds(),
  };
}
