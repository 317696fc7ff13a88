// Texts in the chosen language. A key that a language lacks does not compile.

import { signal } from "@preact/signals";
import type en from "../locales/en.json";
import { preference } from "./preferences.ts";

export type Key = keyof typeof en;
type Texts = Record<Key, string>;
/** Keys that come as `key.one` and `key.other`. */
type Counted = Key extends infer K ? (K extends `${infer Base}.other` ? Base : never) : never;
export type Language = "en" | "zh-CN";

export const LANGUAGES: { value: Language; label: string }[] = [
  { value: "en", label: "English" },
  { value: "zh-CN", label: "简体中文" },
];

const LOADERS: Record<Language, () => Promise<{ default: Texts }>> = {
  en: () => import("../locales/en.json"),
  "zh-CN": () => import("../locales/zh-CN.json"),
};

const chosen = preference<Language | "">("language", "");
export const language = signal<Language>("en");
const texts = signal<Partial<Texts>>({});

function preferred(): Language {
  if (chosen.value === "en" || chosen.value === "zh-CN") return chosen.value;
  const wishes = navigator.languages ?? [navigator.language];
  for (const wish of wishes) {
    if (/^zh\b/i.test(wish)) return "zh-CN";
    if (/^en\b/i.test(wish)) return "en";
  }
  return "en";
}

/** Loads the texts of the chosen language; before that nothing is drawn. */
export async function loadLanguage(wanted: Language = preferred()): Promise<void> {
  const loaded = (await LOADERS[wanted]()).default;
  texts.value = loaded;
  language.value = wanted;
  document.documentElement.lang = wanted;
}

export async function chooseLanguage(wanted: Language): Promise<void> {
  chosen.value = wanted;
  await loadLanguage(wanted);
}

type Parameters = Record<string, string | number>;

export function t(key: Key, parameters?: Parameters): string {
  const text = texts.value[key] ?? key;
  if (!parameters) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}

/** The text for a number of things; `{n}` is the number. */
export function tn(key: Counted, n: number, parameters?: Parameters): string {
  const form = new Intl.PluralRules(language.value).select(n) === "one" ? "one" : "other";
  return t(`${key}.${form}` as Key, { n: number(n), ...parameters });
}

export function number(value: number, digits = 0): string {
  return new Intl.NumberFormat(language.value, { maximumFractionDigits: digits, minimumFractionDigits: digits })
    .format(value);
}

/** Bit rates are decimal. */
export function bitRate(bitsPerSecond: number): string {
  if (bitsPerSecond >= 1e6) return `${number(bitsPerSecond / 1e6, 1)} Mb/s`;
  return `${number(bitsPerSecond / 1e3)} kb/s`;
}

/** Sizes on the disk are binary. */
export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${number(value, unit === 0 || value >= 100 ? 0 : 1)} ${units[unit]}`;
}

/** A length of time in its largest unit or two: `4 m`, `6 h 12 m`, `2 d`. */
export function span(ms: number): string {
  const seconds = Math.max(0, ms / 1000);
  if (seconds < 10) return t("unit.seconds", { n: number(seconds, 1) });
  if (seconds < 60) return t("unit.seconds", { n: number(Math.floor(seconds)) });
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return t("unit.minutes", { n: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 24) {
    const rest = minutes % 60;
    return t("unit.hours", { n: hours }) + (rest && hours < 10 ? ` ${t("unit.minutes", { n: rest })}` : "");
  }
  return t("unit.days", { n: Math.floor(hours / 24) });
}

/** How long media is kept. */
export function retention(hours: number): string {
  if (hours === 0) return t("retention.none");
  return hours % 24 === 0 ? t("unit.days", { n: number(hours / 24) }) : t("unit.hours", { n: number(hours) });
}

/** Date and time of day with the zone written next to it. */
export function dateTime(ms: number, zone?: string): string {
  const parts = new Intl.DateTimeFormat("en-GB", {
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
    hourCycle: "h23", timeZoneName: "short", ...(zone ? { timeZone: zone } : {}),
  }).formatToParts(ms);
  const get = (type: Intl.DateTimeFormatPartTypes) => parts.find((part) => part.type === type)?.value ?? "";
  const [year, month, day] = [get("year"), get("month"), get("day")];
  const date = language.value === "zh-CN" ? `${year}年${month}月${day}日` : `${year}-${month}-${day}`;
  return `${date} ${get("hour")}:${get("minute")}:${get("second")} ${get("timeZoneName")}`;
}

export function timeOfDay(ms: number, zone?: string): string {
  return new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", ...(zone ? { timeZone: zone } : {}),
  }).format(ms);
}
