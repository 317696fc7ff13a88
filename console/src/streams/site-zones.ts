// The zones that sites are in, by the tag of their streams; asked for where a time is written for one.

import { type Signal, signal } from "@preact/signals";
import { asApiError } from "../api/error.ts";
import type { Api } from "../api/operations.ts";
import { type ZoneChoice, zoneOf } from "../time/zones.ts";

export const ZONE_TAG = "streamkeep:timezone";
/** Who waits with Enter is not kept longer. */
const PATIENCE_MS = 1500;

export class SiteZones {
  /** Null: the stream has no such tag, or it may not be read. */
  readonly known: Signal<ReadonlyMap<string, string | null>> = signal(new Map());
  #asked = new Map<string, Promise<string | null>>();

  static #kept = new WeakMap<object, SiteZones>();

  /** What is known is kept while one is signed in. */
  static of(api: Pick<Api, "listTags">): SiteZones {
    const found = SiteZones.#kept.get(api) ?? new SiteZones(api);
    SiteZones.#kept.set(api, found);
    return found;
  }

  constructor(private readonly api: Pick<Api, "listTags">) {}

  ask(name: string): Promise<string | null> {
    const asked = this.#asked.get(name);
    if (asked) return asked;
    const answer = this.api.listTags(name).then((tags) => tags[ZONE_TAG] ?? null, (error: unknown) => {
      // Not allowed stays so; what failed otherwise is asked again.
      if (!asApiError(error).isDenied) this.#asked.delete(name);
      return null;
    });
    this.#asked.set(name, answer);
    void answer.then((zone) => { this.known.value = new Map(this.known.peek()).set(name, zone); });
    return answer;
  }

  /** The zone that times of a stream are in; undefined while it is not known. */
  zoneOf(name: string, choice: ZoneChoice): string | undefined {
    if (choice !== "site") return zoneOf(choice, undefined);
    const zone = this.known.value.get(name);
    return zone === undefined ? undefined : zoneOf("site", zone ?? undefined);
  }

  /** The same, waited for; the browser's own when that takes too long. */
  async wait(name: string, choice: ZoneChoice): Promise<string> {
    if (choice !== "site") return zoneOf(choice, undefined);
    const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), PATIENCE_MS));
    return zoneOf("site", (await Promise.race([this.ask(name), late])) ?? undefined);
  }
}
