import type { ReadonlySignal } from "@preact/signals";
import { t } from "../../app/i18n.ts";
import { timeWords } from "../../app/understood.ts";
import { clock, date } from "../../time/format.ts";
import type { Hover } from "../../timeline/timeline.ts";
import { rangeWords, reasonWords } from "./gap-words.ts";

export interface Picture {
  url: string;
  /** Of the frame. */
  atMs: number | null;
}

const WIDTH = 240;

/** What is under the pointer: a picture and its time, or why there is none. */
export function HoverCard({ hover, zone, width, span }: {
  hover: ReadonlySignal<Hover<Picture> | null>; zone: string; width: () => number; span: () => number;
}) {
  const shown = hover.value;
  if (!shown) return null;
  const { at, gap, picture, state } = shown;
  const left = Math.max(0, Math.min(width() - WIDTH, shown.x - WIDTH / 2));
  const precision = span() <= 60_000 ? "ms" : span() <= 1_800_000 ? "ds" : "s";
  // While the pointer moves, the picture is of another moment: its own time stands with it.
  const isLate = picture?.atMs != null && Math.abs(picture.atMs - at) > 2000;
  return (
    <div class="hover-card" style={{ insetInlineStart: `${left}px`, inlineSize: `${WIDTH}px` }} aria-hidden="true">
      {picture && <img src={picture.url} alt="" />}
      <p><strong>{clock(at, zone, precision)}</strong> <span class="muted">{date(at, zone, timeWords())} {zone}</span></p>
      {isLate && picture?.atMs != null && <p class="muted small">{t("timeline.pictureAt", { time: clock(picture.atMs, zone, "ds") })}</p>}
      {state === "loading" && <p class="muted small">{t("loading")}</p>}
      {gap && <p class="small">{t("timeline.gap", { range: rangeWords(gap.from, gap.to, zone) })}<br />{reasonWords(gap)}</p>}
    </div>
  );
}
