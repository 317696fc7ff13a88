/** The time box: text to an instant, and how it was understood. */

import { DAY_MS, type Skip, type Wall, instantsOf, isWall, isZone, shiftDays, skipOver, wallAt, wallOfUtc } from "./zone.ts";

export interface TimeContext {
  now: number;
  /** IANA name of the zone that wall times are in. */
  zone: string;
  /** What is on screen: a time without a date means that day. Today when absent. */
  shown?: number;
}

/** What kind of text it was. */
export type TimeForm = "clock" | "yesterday" | "date" | "ago" | "now" | "iso" | "epoch-s" | "epoch-ms" | "fragment";

export type Understood =
  /** Two instants when the hour exists twice: the earlier first. */
  | { kind: "instant"; form: TimeForm; instants: [number] | [number, number]; zone: string; wall: Wall | null }
  /** The clocks jump over it. */
  | { kind: "missing"; form: TimeForm; wall: Wall; zone: string; skip: Skip }
  /** The instant is null where the number's layout is not ours: ask ListFragments. */
  | { kind: "fragment"; form: "fragment"; number: string; instant: number | null; zone: string }
  /** `form`: no known form. `range`: such a date, time or zone does not exist. */
  | { kind: "unreadable"; why: "empty" | "form" | "range" };

/** 9999-12-31T23:59:59.999Z: ISO 8601 has four digits of year. */
const INSTANT_MAX = 253_402_300_799_999;

const CLOCK = String.raw`(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?`;
const DATE = String.raw`(\d{4})(?:-(\d{1,2})-(\d{1,2})|年(\d{1,2})月(\d{1,2})日)`;
const IN_DAY = new RegExp(String.raw`^(today|yesterday|今天|昨天|前天)?\s*${CLOCK}$`);
const DAY_ALONE = /^(today|yesterday|今天|昨天|前天)$/;
const DATED = new RegExp(String.raw`^${DATE}(?:(?:t|\s+|(?<=日))${CLOCK})?$`);
const BASIC = /^(\d{4})(\d{2})(\d{2})t(\d{2})(\d{2})(?:(\d{2})(?:[.,](\d{1,9}))?)?$/;
const OFFSET = /(?<=[t\s]\d.*)\s*(?:(z)|([+-])(\d{2}):?(\d{2})?)$/;
const AGO = /^-((?:\s*\d+(?:\.\d+)?\s*(?:ms|d|h|m|s))+)$/;
const AGO_ZH = /^(\d+)\s*(天|小时|分钟|秒)钟?前$/;
const UNIT_MS: Record<string, number> = {
  ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: DAY_MS, 秒: 1000, 分钟: 60_000, 小时: 3_600_000, 天: DAY_MS,
};
const DAYS_BACK: Record<string, number> = { today: 0, 今天: 0, yesterday: 1, 昨天: 1, 前天: 2 };

export function parseTime(text: string, context: TimeContext): Understood {
  let rest = plain(text);
  if (rest === "") return { kind: "unreadable", why: "empty" };
  if (/^\d+(\.\d+)?$/.test(rest)) return ofNumber(rest, context.zone);
  if (rest === "now" || rest === "现在") return instant("now", context.now, context.zone);

  const back = ago(rest);
  if (back !== null) return instant("ago", context.now - back, context.zone);

  let zone = context.zone;
  // `2026-11-20T14:05+01:00[Europe/Berlin]` and `14:05 UTC`, as this console writes them.
  const named = /^(.*?)(?:\s*\[([\w/+-]+)\]|\s+(utc|[a-z]+(?:\/[\w+-]+)+))$/.exec(rest);
  if (named) {
    const name = named[2] ?? named[3] ?? "";
    if (!isZone(name)) return { kind: "unreadable", why: "range" };
    rest = named[1] ?? "";
    zone = properName(name);
  }

  const inDay = IN_DAY.exec(rest);
  if (inDay) {
    const [, word, hour, minute, second, fraction] = inDay;
    const clock = clockOf(hour, minute, second, fraction);
    const isToday = word === undefined;
    const day = isToday ? (context.shown ?? context.now) : context.now;
    const date = shiftDays({ ...wallAt(day, zone), ...clock }, -(DAYS_BACK[word ?? ""] ?? 0));
    if (!isTime(clock)) return { kind: "unreadable", why: "range" };
    const found = ofWall(word !== undefined && word !== "today" && word !== "今天" ? "yesterday" : "clock", date, zone);
    // Nothing is recorded of later today: the last such time was meant.
    const isAhead = isToday && found.kind === "instant" && found.instants[0] > context.now;
    return isAhead ? ofWall("clock", shiftDays(date, -1), zone) : found;
  }
  const alone = DAY_ALONE.exec(rest);
  if (alone) {
    const midnight = { ...wallAt(context.now, zone), ...clockOf("0", "0") };
    return ofDay(shiftDays(midnight, -(DAYS_BACK[alone[1] ?? ""] ?? 0)), zone);
  }

  const offset = OFFSET.exec(rest);
  const wallText = offset ? rest.slice(0, offset.index) : rest;
  const wall = dated(wallText);
  if (!wall) return { kind: "unreadable", why: "form" };
  if (!isWall(wall)) return { kind: "unreadable", why: "range" };
  if (!offset) {
    return wallText.includes(":") || wallText.includes("t") ? ofWall("date", wall, zone) : ofDay(wall, zone);
  }
  const [, z, sign, hours = "0", minutes = "0"] = offset;
  if (Number(hours) > 23 || Number(minutes) > 59) return { kind: "unreadable", why: "range" };
  const ahead = z ? 0 : (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  const utc = Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute, wall.second, wall.millisecond);
  return instant("iso", utc - ahead, zone);
}

export interface SplitText {
  /** What is not the time: a stream's name, as it was written. */
  rest: string;
  time: Understood;
}

/** The palette's text, such as `gate 3 yesterday 14:05` or `昨天14:05 三号门`: a time at its end or start, if any. */
export function splitTime(text: string, context: TimeContext): SplitText | null {
  const words = [...text.matchAll(/\S+/g)];
  const count = words.length;
  // The longest piece first, so that `yesterday` is not left to the name.
  for (let length = Math.min(count, 3); length > 0; length--) {
    const tail = words[count - length]?.index ?? 0;
    const head = words[length - 1];
    const headEnd = head ? head.index + head[0].length : 0;
    for (const [piece, rest] of [
      [text.slice(tail), text.slice(0, tail)],
      [text.slice(0, headEnd), text.slice(headEnd)],
    ] as const) {
      const time = parseTime(piece, context);
      if (time.kind !== "unreadable") return { rest: rest.trim(), time };
    }
  }
  return null;
}

/** One form for full-width digits and colons, the several minus signs, case and spaces. */
function plain(text: string): string {
  return text.normalize("NFKC").replace(/[−‐–—﹣]/g, "-").trim().toLowerCase().replace(/\s+/g, " ");
}

function ofNumber(digits: string, zone: string): Understood {
  const whole = digits.split(".")[0] ?? "";
  if (digits === whole && digits.length === 38 && BigInt(digits) >> 112n === 0x1000n) {
    const at = Number((BigInt(digits) >> 64n) & 0xffff_ffff_ffffn);
    return { kind: "fragment", form: "fragment", number: digits, instant: at <= INSTANT_MAX ? at : null, zone };
  }
  // What the Amazon service numbers, and other servers after it.
  if (digits === whole && (digits.length === 38 || digits.length === 47)) {
    return { kind: "fragment", form: "fragment", number: digits, instant: null, zone };
  }
  if (whole.length === 9 || whole.length === 10) return instant("epoch-s", Math.round(Number(digits) * 1000), zone);
  if (whole.length === 12 || whole.length === 13) return instant("epoch-ms", Math.floor(Number(digits)), zone);
  return { kind: "unreadable", why: "form" };
}

/** Milliseconds before now. A day is 24 hours, also over a change of the clocks. */
function ago(text: string): number | null {
  const parts = AGO.exec(text)?.[1] ?? AGO_ZH.exec(text)?.slice(1, 3).join("");
  if (parts === undefined) return null;
  let sum = 0;
  for (const [, count, unit = ""] of parts.matchAll(/(\d+(?:\.\d+)?)\s*(ms|d|h|m|s|天|小时|分钟|秒)/g)) {
    sum += Number(count) * (UNIT_MS[unit] ?? 0);
  }
  return Math.round(sum);
}

function dated(text: string): Wall | null {
  const basic = BASIC.exec(text);
  if (basic) {
    const [, year, month, day, hour, minute, second, fraction] = basic;
    return { year: Number(year), month: Number(month), day: Number(day), ...clockOf(hour, minute, second, fraction) };
  }
  const found = DATED.exec(text);
  if (!found) return null;
  const [, year, month, day, zhMonth, zhDay, hour, minute, second, fraction] = found;
  return {
    year: Number(year),
    month: Number(month ?? zhMonth),
    day: Number(day ?? zhDay),
    ...clockOf(hour, minute, second, fraction),
  };
}

type Clock = Pick<Wall, "hour" | "minute" | "second" | "millisecond">;

function clockOf(hour = "0", minute = "0", second = "0", fraction = ""): Clock {
  const millisecond = Number(fraction.padEnd(3, "0").slice(0, 3));
  return { hour: Number(hour), minute: Number(minute), second: Number(second), millisecond };
}

function isTime({ hour, minute, second }: Clock): boolean {
  return hour < 24 && minute < 60 && second < 60;
}

function ofDay(midnight: Wall, zone: string): Understood {
  const found = ofWall("date", midnight, zone);
  // A day that begins with the change has no midnight, but a beginning.
  if (found.kind === "missing") return instant("date", found.skip.at, zone);
  return found;
}

function ofWall(form: TimeForm, wall: Wall, zone: string): Understood {
  const [first, second] = instantsOf(wall, zone);
  if (first === undefined) return { kind: "missing", form, wall, zone, skip: skipOver(wall, zone) };
  if (first < 0 || first > INSTANT_MAX) return { kind: "unreadable", why: "range" };
  return { kind: "instant", form, instants: second === undefined ? [first] : [first, second], zone, wall };
}

function instant(form: TimeForm, at: number, zone: string): Understood {
  if (!(at >= 0 && at <= INSTANT_MAX)) return { kind: "unreadable", why: "range" };
  return { kind: "instant", form, instants: [at], zone, wall: wallOfZone(at, zone) };
}

function wallOfZone(at: number, zone: string): Wall {
  return zone === "UTC" ? wallOfUtc(at) : wallAt(at, zone);
}

function properName(name: string): string {
  return new Intl.DateTimeFormat("en-US", { timeZone: name }).resolvedOptions().timeZone;
}
