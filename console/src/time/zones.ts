// In which zone times are shown: the site's, the browser's, or UTC.

import { isZone, ownZone } from "./zone.ts";

export type ZoneChoice = "site" | "mine" | "utc";

const ORDER: readonly ZoneChoice[] = ["site", "mine", "utc"];

/** What of a URL's `tz`; the site's by default. */
export function zoneChoice(text: string | undefined, site: string | undefined): ZoneChoice {
  const wished = ORDER.find((choice) => choice === text) ?? "site";
  return wished === "site" && !isSite(site) ? "mine" : wished;
}

/** Site → mine → UTC; without a site's zone there is none to go to. */
export function nextZone(choice: ZoneChoice, site: string | undefined): ZoneChoice {
  const next = ORDER[(ORDER.indexOf(choice) + 1) % ORDER.length] ?? "utc";
  return zoneChoice(next, site);
}

export function zoneOf(choice: ZoneChoice, site: string | undefined): string {
  if (choice === "utc") return "UTC";
  return choice === "site" && isSite(site) ? site : ownZone();
}

/** A tag holds anything. */
function isSite(site: string | undefined): site is string {
  return site !== undefined && site !== "" && isZone(site);
}
