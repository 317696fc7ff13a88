// Fails when the build is larger than its budgets, gzip.

import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const DIST = fileURLToPath(new URL("../dist/", import.meta.url));
const manifest = JSON.parse(readFileSync(path.join(DIST, ".vite/manifest.json"), "utf8"));

const KIB = 1000; // budgets are decimal
const size = (file) => gzipSync(readFileSync(path.join(DIST, file)), { level: 9 }).length;

/** Files of a chunk, with those it imports at once; not of what it loads later. */
function filesOf(name, seen = new Set()) {
  if (seen.has(name)) return new Set();
  seen.add(name);
  const chunk = manifest[name];
  if (!chunk) throw new Error(`${name} is not in the build`);
  const files = new Set([chunk.file, ...(chunk.css ?? [])]);
  for (const imported of chunk.imports ?? []) for (const file of filesOf(imported, seen)) files.add(file);
  return files;
}

const named = (text) => {
  const found = Object.keys(manifest).find((name) => name.includes(text));
  if (!found) throw new Error(`nothing in the build has ${text} in its name`);
  return found;
};

const shell = filesOf("index.html");
const stream = filesOf(named("pages/stream/stream.tsx"));
const without = (files, others) => [...files].filter((file) => !others.has(file));
// What the stream page has loaded already, a player does not load again.
const all = new Set([...shell, ...stream]);
const BUDGETS = [
  ["shell, JS and CSS", [...shell], 60],
  ["stream page, more", without(stream, shell), 40],
  ["wall, more", without(filesOf(named("pages/wall/wall-page.tsx")), shell), 40],
  ["settings, more", without(filesOf(named("pages/settings/settings.tsx")), shell), 40],
  ["health, more", without(filesOf(named("pages/health/health-page.tsx")), shell), 40],
  ["hls.js", without(filesOf(named("hls.js")), all), 140],
  ["Shaka Player", without(filesOf(named("shaka")), all), 200],
  ["English", [manifest[named("locales/en.json")].file], 12],
  ["Chinese", [manifest[named("locales/zh-CN.json")].file], 12],
];

let isOver = false;
for (const [name, files, limit] of BUDGETS) {
  const bytes = files.reduce((sum, file) => sum + size(file), 0);
  const isTooLarge = bytes > limit * KIB;
  isOver ||= isTooLarge;
  console.log(`${isTooLarge ? "TOO LARGE" : "ok       "} ${name}: ${(bytes / KIB).toFixed(1)} of ${limit} KB`);
}
const html = readFileSync(path.join(DIST, "index.html"), "utf8");
if (/<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=/.test(html)) {
  console.log("index.html has something inline: the policy of the page forbids it");
  isOver = true;
}
process.exitCode = isOver ? 1 : 0;
