// AWS Signature Version 4 in the query: a URL that is good for a while by itself, for what cannot send
// headers, as a WebSocket.

import type { Credentials, Scope } from "./sigv4.ts";

const ALGORITHM = "AWS4-HMAC-SHA256";
const TERMINATOR = "aws4_request";
const HMAC = { name: "HMAC", hash: "SHA-256" };

/** The URL with its signature, for a GET without a body. Only the host is signed with it. */
export async function presign(
  url: URL, credentials: Credentials, scope: Scope, now: Date, expiresSeconds: number,
): Promise<URL> {
  const date = now.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const steps = [date.slice(0, 8), scope.region, scope.service, TERMINATOR];
  const added: [string, string][] = [
    ["X-Amz-Algorithm", ALGORITHM],
    ["X-Amz-Credential", [credentials.accessKeyId, ...steps].join("/")],
    ["X-Amz-Date", date],
    ["X-Amz-Expires", String(expiresSeconds)],
    ["X-Amz-SignedHeaders", "host"],
  ];
  if (credentials.sessionToken) added.push(["X-Amz-Security-Token", credentials.sessionToken]);
  // By code units, not by the reader's language.
  const query = [...new URLSearchParams(url.search), ...added]
    .map(([name, value]) => [escape(name), escape(value)] as const)
    .sort(([a, x], [b, y]) => (a === b ? order(x, y) : order(a, b)))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
  const path = url.pathname.split("/").map(escape).join("/");
  const canonical = ["GET", path, query, `host:${url.host}`, "", "host", await hashOf("")].join("\n");
  const text = [ALGORITHM, date, steps.join("/"), await hashOf(canonical)].join("\n");
  const signed = new URL(url);
  signed.search = `${query}&X-Amz-Signature=${hex(await mac(await keyOf(credentials.key, steps), text))}`;
  return signed;
}

async function keyOf(secret: CryptoKey, steps: string[]): Promise<CryptoKey> {
  let key = secret;
  for (const step of steps) key = await crypto.subtle.importKey("raw", await mac(key, step), HMAC, false, ["sign"]);
  return key;
}

function mac(key: CryptoKey, text: string): Promise<ArrayBuffer> {
  return crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text));
}

async function hashOf(text: string): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** RFC 3986: all but unreserved characters, of which encodeURIComponent leaves five out. */
function escape(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
