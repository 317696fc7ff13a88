// What a text was understood as, before Enter: one instant, several that may be meant, or none.

import { clock, describe, offsetName } from "../time/format.ts";
import { type TimeContext, type Understood, parseTime } from "../time/parse.ts";
import { EN, type TimeWords, ZH } from "../time/words.ts";
import { language, t } from "./i18n.ts";

export function timeWords(): TimeWords {
  return language.value === "zh-CN" ? ZH : EN;
}

export interface Meaning {
  words: string;
  isFault: boolean;
  /** When there is no doubt. */
  at: number | null;
  /** What tells them apart, where the hour exists twice or not at all. */
  choices: { at: number; label: string }[];
}

export function meaningOf(understood: Understood, now: number): Meaning {
  const words = describe(understood, now, timeWords());
  switch (understood.kind) {
    case "unreadable":
      return { words, isFault: true, at: null, choices: [] };
    case "fragment":
      return understood.instant === null
        ? { words: t("timeline.foreignFragment"), isFault: true, at: null, choices: [] }
        : { words, isFault: false, at: understood.instant, choices: [] };
    case "missing": {
      const { skip, zone } = understood;
      return { words, isFault: false, at: null, choices: [{ at: skip.at, label: t("timeline.goAfter", { time: clock(skip.at, zone) }) }] };
    }
    case "instant": {
      const { instants, zone } = understood;
      if (instants.length === 1) return { words, isFault: false, at: instants[0], choices: [] };
      const choices = instants.map((at) => ({ at, label: `${clock(at, zone)} ${offsetName(at, zone)}` }));
      return { words, isFault: false, at: null, choices };
    }
  }
}

export function meaningOfText(text: string, context: TimeContext): Meaning {
  return meaningOf(parseTime(text, context), context.now);
}
