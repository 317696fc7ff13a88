import { computed, signal } from "@preact/signals";
import { type Query, type Route, formatQuery, parsePath, parseQuery, pathOf } from "./routes.ts";

interface Place {
  path: string;
  search: string;
}

const here = (): Place => ({ path: location.pathname, search: location.search });

const place = signal<Place>(here());
export const route = computed<Route>(() => parsePath(place.value.path));
export const query = computed<Query>(() => parseQuery(place.value.search));

addEventListener("popstate", () => { place.value = here(); });

/** Goes somewhere: the back button comes back. */
export function go(to: Route, wanted: Query = {}): void {
  history.pushState(null, "", pathOf(to) + formatQuery(wanted));
  place.value = here();
  document.querySelector("main")?.scrollTo(0, 0);
}

/** Changes the query where one is; an undefined member goes. Not a step back by default. */
export function setQuery(patch: Record<string, string | undefined>, { isStep = false } = {}): void {
  const next: Query = { ...query.peek() };
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined) delete next[name];
    else next[name] = value;
  }
  const search = formatQuery(next);
  if (search === location.search) return;
  const url = location.pathname + search;
  if (isStep) history.pushState(null, "", url);
  else history.replaceState(null, "", url);
  place.value = here();
}
