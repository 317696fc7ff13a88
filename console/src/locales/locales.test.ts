import { expect, it } from "vitest";
import en from "./en.json";
import zh from "./zh-CN.json";

const files = import.meta.glob<string>(["../**/*.{ts,tsx}", "!../**/*.test.ts"], { query: "?raw", import: "default", eager: true });
const source = Object.values(files).join("\n");
const texts = new Set([...source.matchAll(/(["'])([\w.]+)\1/g)].map(([, , text]) => text));
/** What template literals begin with, as `gap.${reason}`: keys that begin so are used. */
const prefixes = [...source.matchAll(/`([a-z]\w*\.(?:\w+\.)*)\$\{/g)].map(([, prefix]) => prefix as string);

it("has the same keys in both languages", () => {
  expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
});

it("has the same parameters in both languages", () => {
  const parameters = (text: string) => [...new Set(text.match(/\{\w+\}/g))].sort();
  for (const [key, text] of Object.entries(en)) {
    // Of one thing a language need not say the number.
    if (key.endsWith(".one")) continue;
    expect(parameters(zh[key as keyof typeof zh]), key).toEqual(parameters(text));
  }
});

/** A word is a common text, so one that is a key must be seen in a call. */
function isSaid(key: string): boolean {
  const base = key.replace(/\.(one|other)$/, "");
  if (base !== key && texts.has(base)) return true;
  if (!key.includes(".")) return new RegExp(`\\bt\\([^)]*"${key}"`).test(source);
  return texts.has(key) || prefixes.some((prefix) => key.startsWith(prefix));
}

it("has no text that nobody says", () => {
  expect(Object.keys(en).filter((key) => !isSaid(key))).toEqual([]);
});
