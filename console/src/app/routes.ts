// The URLs of the console. All that changes what is seen is in them; secrets never are.

export const BASE = "/console";

export type Route =
  | { page: "streams" }
  | { page: "stream"; name: string }
  | { page: "settings"; part: string }
  | { page: "wall"; layout: string }
  | { page: "review"; id: string }
  | { page: "search" }
  | { page: "sync" }
  | { page: "unknown" };

export function parsePath(pathname: string): Route {
  if (pathname !== BASE && !pathname.startsWith(`${BASE}/`)) return { page: "unknown" };
  const parts = pathname.slice(BASE.length).split("/").filter(Boolean).map(decode);
  const [page, item = "", ...rest] = parts;
  if (rest.length > 0) return { page: "unknown" };
  switch (page) {
    case undefined: return { page: "streams" };
    case "streams": return item ? { page: "stream", name: item } : { page: "streams" };
    case "settings": return { page: "settings", part: item };
    case "wall": return { page: "wall", layout: item };
    case "review": return { page: "review", id: item };
    case "search": return { page: "search" };
    case "sync": return { page: "sync" };
    default: return { page: "unknown" };
  }
}

export function pathOf(route: Route): string {
  switch (route.page) {
    case "stream": return `${BASE}/streams/${encodeURIComponent(route.name)}`;
    case "settings": return join("settings", route.part);
    case "wall": return join("wall", route.layout);
    case "review": return join("review", route.id);
    case "unknown": return `${BASE}/`;
    default: return `${BASE}/${route.page}`;
  }
}

function join(page: string, item: string): string {
  return `${BASE}/${page}${item ? `/${encodeURIComponent(item)}` : ""}`;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export type Query = Record<string, string>;

/** `?live&tz=site` is `{live: "", tz: "site"}`. */
export function parseQuery(search: string): Query {
  return Object.fromEntries(new URLSearchParams(search));
}

/** Words without a value stay words; times stay readable. */
export function formatQuery(query: Query): string {
  const parts = Object.entries(query).map(([name, value]) => {
    const text = encodeURIComponent(value).replaceAll("%3A", ":").replaceAll("%2C", ",").replaceAll("%20", "+");
    return value === "" ? encodeURIComponent(name) : `${encodeURIComponent(name)}=${text}`;
  });
  return parts.length > 0 ? `?${parts.join("&")}` : "";
}
