// The zones that sites are in, by the tag of their streams.

import { type ZoneChoice, zoneOf } from "../time/zones.ts";
import type { TagCache } from "./tag-cache.ts";

export const ZONE_TAG = "streamkeep:timezone";
/** Who waits with Enter is not kept longer. */
const PATIENCE_MS = 1500;

/** The zone that times of a stream are in; undefined while it is not known. */
export function siteZone(tags: TagCache, name: string, choice: ZoneChoice): string | undefined {
  if (choice !== "site") return zoneOf(choice, undefined);
  const own = tags.tagsOf(name);
  return own === undefined ? undefined : zoneOf("site", own?.[ZONE_TAG]);
}

/** The same, waited for; the browser's own when that takes too long. */
export async function waitForSiteZone(tags: TagCache, name: string, choice: ZoneChoice): Promise<string> {
  if (choice !== "site") return zoneOf(choice, undefined);
  const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), PATIENCE_MS));
  return zoneOf("site", (await Promise.race([tags.ask(name), late]))?.[ZONE_TAG]);
}
