import { useEffect, useMemo } from "preact/hooks";
import type { Api } from "../../api/operations.ts";
import { reconnections } from "../../app/connection.ts";
import { HealthWatch, type Watched } from "../../streams/health-watch.ts";

const EVERY_MS = 2000;

/** The health of one stream, asked for while the page is seen. */
export function useHealth(api: Api, name: string): Watched | undefined {
  const watch = useMemo(() => new HealthWatch(api, { everyMs: EVERY_MS }), [api]);
  const back = reconnections.value;
  useEffect(() => {
    watch.want([name]);
    watch.refresh();
  }, [watch, name, back]);
  useEffect(() => () => watch.close(), [watch]);
  return watch.known.value.get(name);
}
