// A tile in words: its badge, and its name for a screen reader.

import { type Key, number, span, t } from "../../app/i18n.ts";
import { codecName } from "../../streams/words.ts";
import type { SoundState } from "../../live/tile.ts";
import { type Shown, actionOf } from "./shown.ts";

export function badgeWords({ mode, ageMs }: Shown): string {
  const age = ageMs === null ? "" : ` ${mode !== "key" && ageMs < 60_000 ? t("unit.seconds", { n: number(ageMs / 1000) }) : span(ageMs)}`;
  switch (mode) {
    case "live": return ageMs === null ? t("player.live") : t("unit.seconds", { n: number(ageMs / 1000, 1) });
    case "key": return t("wall.key") + age;
    case "still": return t("wall.still") + age;
    case "stale": return t("wall.frozen") + age;
    case "waiting": return t("player.opening") + age;
    case "off": return t("state.off") + age;
    case "denied": return t("wall.denied");
    case "error": return t("wall.error");
    case "unplayable": return t("wall.unplayable");
    case "blocked": return t("player.paused");
  }
}

/** "gate-3, live, 0.4 seconds behind". */
export function nameWords(name: string, shown: Shown): string {
  if (shown.mode === "live" && shown.ageMs !== null) {
    return t("wall.nameLive", { name, n: number(shown.ageMs / 1000, 1) });
  }
  return `${name}, ${badgeWords(shown)}`;
}

/** Of the tile that is heard. */
export function soundWords(name: string, sound: SoundState): string {
  switch (sound) {
    case "on": return t("wall.sound.on", { name });
    case "off": return t("wall.sound.hidden", { name });
    case "waiting": return t("wall.sound.waiting", { name });
    case "none": return t("wall.sound.none", { name });
    case "key": return t("wall.sound.key", { name });
    case "blocked": return t("wall.sound.blocked", { name });
    case "unsupported": return t("wall.sound.unsupported", { name });
  }
}

const WHY: Record<string, Key> = {
  budget: "wall.why.budget", line: "wall.why.line", steps: "wall.why.steps", codec: "wall.why.codec", pinned: "wall.why.pinned",
};

/** Why a tile is not better than it is; "" where there is nothing to say. */
export function whyWords({ mode, why }: Shown, codec: string): string {
  const key = why && (mode === "live" || mode === "key" || mode === "still") && WHY[why];
  return key ? t(key, { codec: nameOf(codec) }) : "";
}

function nameOf(codec: string): string {
  return /^h(vc|ev)1/.test(codec) ? "H.265" : codecName(codec);
}

const REASONS: Record<string, Key> = { "no-session": "player.off", silent: "player.silent" };

/** What stands in the middle of a tile that shows nothing new. */
export function troubleWords(shown: Shown, codec: string): { text: string; detail: string } | null {
  const { mode, name, text, retries } = shown;
  switch (mode) {
    case "stale":
      return { text: badgeWords(shown), detail: retries > 0 ? t("wall.retrying", { n: retries }) : "" };
    case "off":
      return { text: t(REASONS[name] ?? "player.off"), detail: "" };
    case "denied":
      return { text: t("wall.deniedText", { action: actionOf(text) }), detail: name };
    case "error":
      return name === "ResourceNotFoundException" ? { text: t("wall.gone"), detail: "" } : { text: name, detail: text };
    case "unplayable":
      return { text: t("wall.why.codec", { codec: nameOf(codec) }), detail: t("wall.noStills") };
    case "blocked":
      return { text: t("wall.blocked"), detail: "" };
    default:
      return null;
  }
}
