// The keys of each page, for people.

import type { Key } from "./i18n.ts";
import type { Route } from "./routes.ts";

/** Keys of one use, and what they do. */
export type KeyRow = readonly [keys: readonly string[], label: Key];

export const KEYS_EVERYWHERE: readonly KeyRow[] = [
  [["Ctrl K"], "keys.palette"],
  [["/"], "keys.search"],
  [["?"], "keys.help"],
  [["g w"], "keys.wall"],
  [["g s"], "keys.streams"],
  [["g h"], "keys.health"],
];

export const KEYS_OF: Partial<Record<Route["page"], readonly KeyRow[]>> = {
  streams: [
    [["j", "k"], "keys.move"],
    [["Enter"], "keys.open"],
    [["x"], "keys.select"],
    [["w"], "keys.toWall"],
    [["Esc"], "keys.unselect"],
    [["n"], "keys.new"],
  ],
  stream: [
    [["Space"], "keys.play"],
    [["←", "→"], "keys.jump"],
    [[",", "."], "keys.frame"],
    [["<", ">"], "keys.speed"],
    [["l"], "keys.live"],
    [["t"], "keys.time"],
    [["+", "−", "0"], "keys.zoom"],
    [["[", "]"], "keys.mark"],
    [["e"], "keys.export"],
    [["s"], "keys.snapshot"],
    [["c"], "keys.link"],
    [["z"], "keys.closer"],
    [["m"], "keys.mute"],
    [["f"], "keys.fullscreen"],
    [["i"], "keys.stats"],
    [["j", "k", "Enter"], "keys.fragments"],
  ],
  wall: [
    [["←", "→", "↑", "↓"], "keys.tile"],
    [["Enter"], "keys.enlarge"],
    [["Esc"], "keys.shrink"],
    [["1–9"], "keys.page"],
    [["r"], "wall.last30"],
    [["m"], "keys.mute"],
    [["s"], "keys.snapshot"],
    [["f"], "keys.fullscreen"],
    [["i"], "keys.stats"],
  ],
};
