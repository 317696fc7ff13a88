// Processes by /proc: which belong together, what they use.

import { readFileSync, readdirSync } from "node:fs";

const TICKS_PER_SECOND = 100;

/** The processes below one, with it: by the parents that /proc names. */
export function treeOf(root) {
  const parents = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const stat = read(`/proc/${pid}/stat`);
    if (stat) parents.set(Number(pid), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
  }
  const tree = new Set([root]);
  for (let size = 0; size !== tree.size;) {
    size = tree.size;
    for (const [pid, parent] of parents) if (tree.has(parent)) tree.add(pid);
  }
  return [...tree];
}

/** A process may end while it is looked at. */
function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

export const pssMb = (pids) => pids.reduce((sum, pid) => {
  return sum + Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) / 1024;
}, 0);

/** Seconds of a core that were used since the processes began. */
export const cpuSeconds = (pids) => pids.reduce((sum, pid) => {
  const stat = read(`/proc/${pid}/stat`);
  if (!stat) return sum;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return sum + (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}, 0);

export const kindOf = (pid) => /--type=([\w-]+)/.exec(read(`/proc/${pid}/cmdline`))?.[1] ?? "browser";

/** The browser that a process has started. */
export const browserBelow = (pid) => treeOf(pid).find((pid) => kindOf(pid) === "browser" && /chrom/.test(read(`/proc/${pid}/cmdline`)));
