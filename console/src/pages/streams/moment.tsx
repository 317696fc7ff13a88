// A time behind a stream's name in the search field: `gate 3 14:05` goes there.

import { useEffect, useMemo } from "preact/hooks";
import type { Api } from "../../api/operations.ts";
import type { StreamInfo } from "../../api/types.ts";
import { t } from "../../app/i18n.ts";
import { timeIn } from "../../app/palette/options.ts";
import { go, query } from "../../app/router.ts";
import { clock } from "../../app/session.ts";
import { type Meaning, meaningOf } from "../../app/understood.ts";
import { find, indexOf } from "../../streams/find.ts";
import { siteZone, waitForSiteZone } from "../../streams/site-zones.ts";
import { TagCache } from "../../streams/tag-cache.ts";
import { ownZone } from "../../time/zone.ts";
import { zoneChoice } from "../../time/zones.ts";
import { Button } from "../../ui/button.tsx";

export interface Moment {
  /** What of the text is about names. */
  rest: string;
  /** The stream that Enter opens; null when none matches. */
  name: string | null;
  /** Null until the zone of the stream is known. */
  meaning: Meaning | null;
  /** Goes there, when there is no doubt. */
  open: () => Promise<void>;
}

/** Null when there is no time in the text, or when streams are named like it. */
export function useMoment(api: Api, streams: readonly StreamInfo[], text: string): Moment | null {
  const around = { now: clock.now(), shown: null, zone: ownZone() };
  const split = timeIn(text.trim(), around);
  const isThere = split !== null && split.rest !== "";
  const index = useMemo(() => (isThere ? indexOf(streams) : []), [isThere, streams]);
  const tags = TagCache.of(api);
  const isName = isThere && find(index, text, 1).length > 0;
  const name = isThere && !isName ? find(index, split.rest, 1)[0]?.StreamName ?? null : null;
  useEffect(() => { if (name) void tags.ask(name); }, [name, tags]);
  if (!isThere || isName) return null;

  const tz = query.value["tz"];
  const choice = tz === undefined ? "site" : zoneChoice(tz, "UTC");
  const meaningIn = (zone: string) => meaningOf(timeIn(text.trim(), { ...around, zone })?.time ?? split.time, around.now);
  const zone = name === null ? undefined : siteZone(tags, name, choice);
  return {
    rest: split.rest,
    name,
    meaning: zone === undefined ? null : meaningIn(zone),
    open: async () => {
      if (name === null) return;
      const { at } = meaningIn(zone ?? await waitForSiteZone(tags, name, choice));
      if (at !== null) goTo(name, at);
    },
  };
}

function goTo(name: string, at: number): void {
  const tz = query.peek()["tz"];
  go({ page: "stream", name }, { t: new Date(at).toISOString(), ...(tz ? { tz } : {}) });
}

export function MomentHint({ moment: { name, meaning } }: { moment: Moment }) {
  if (name === null) return null;
  const words = meaning ? meaning.words : "…";
  return (
    <div class={`moment-hint small${meaning?.isFault ? " is-fault" : ""}`} role="status">
      <span>{meaning?.isFault || meaning?.choices.length ? `${name}: ${words}` : t("palette.go", { what: `${name}, ${words}` })}</span>
      {meaning && meaning.choices.length > 0 && (
        <div class="row wrap">
          {meaning.choices.map((one) => <Button key={one.at} isSmall onClick={() => goTo(name, one.at)}>{one.label}</Button>)}
        </div>
      )}
    </div>
  );
}
