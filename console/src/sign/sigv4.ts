// AWS Signature Version 4 by WebCrypto; what is here makes the header form. The secret is only ever a CryptoKey that
// cannot be read out again.

export const ALGORITHM = "AWS4-HMAC-SHA256";
const TERMINATOR = "aws4_request";
const HMAC = { name: "HMAC", hash: "SHA-256" };

export interface Credentials {
  accessKeyId: string;
  /** HMAC key of "AWS4" + secret: {@link importSecret}. */
  key: CryptoKey;
  sessionToken?: string;
}

export interface Scope {
  region: string;
  service: string;
}

export interface SignedRequest {
  method: string;
  url: URL;
  /** What is to be signed besides host and date. Names in any case. */
  headers: Record<string, string>;
  body: string;
}

/** The secret as a key that cannot be extracted. */
export function importSecret(secret: string): Promise<CryptoKey> {
  return importKey(encode(`AWS4${secret}`));
}

/** The headers to send: those given, the date, the token, and Authorization. Not Host. */
export async function sign(
  request: SignedRequest,
  credentials: Credentials,
  scope: Scope,
  now: Date,
): Promise<Record<string, string>> {
  const date = dateOf(now);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) headers[name.toLowerCase()] = value;
  headers["x-amz-date"] = date;
  if (credentials.sessionToken) headers["x-amz-security-token"] = credentials.sessionToken;

  const signed: Record<string, string> = { ...headers, host: request.url.host };
  const signature = await signatureOf({ ...request, headers: signed }, credentials, scope, date);
  headers["authorization"] =
    `${ALGORITHM} Credential=${credentialOf(credentials, scope, date)}, ` +
    `SignedHeaders=${namesOf(signed).join(";")}, Signature=${signature}`;
  return headers;
}

/** Basic ISO 8601, as signatures have it. */
export function dateOf(now: Date): string {
  return now.toISOString().replace(/[-:]|\.\d{3}/g, "");
}

export function credentialOf({ accessKeyId }: Credentials, scope: Scope, date: string): string {
  return [accessKeyId, ...stepsOf(scope, date)].join("/");
}

/** Over all the headers that the request has, whose names are in lower case. */
export async function signatureOf(
  { method, url, headers, body }: SignedRequest, credentials: Credentials, scope: Scope, date: string,
): Promise<string> {
  const names = namesOf(headers);
  const canonical = [
    method,
    canonicalPath(url.pathname),
    canonicalQuery(url.search),
    ...names.map((name) => `${name}:${headers[name]?.trim().replace(/\s+/g, " ")}`),
    "",
    names.join(";"),
    await hashOf(body),
  ].join("\n");
  const steps = stepsOf(scope, date);
  const text = [ALGORITHM, date, steps.join("/"), await hashOf(canonical)].join("\n");
  return hex(await mac(await signingKey(credentials.key, steps), text));
}

function namesOf(headers: Record<string, string>): string[] {
  return Object.keys(headers).sort();
}

function stepsOf({ region, service }: Scope, date: string): string[] {
  return [date.slice(0, 8), region, service, TERMINATOR];
}

/** Keys of a day, region and service. They die with the secret they come from. */
const derived = new WeakMap<CryptoKey, { name: string; key: Promise<CryptoKey> }>();

function signingKey(secret: CryptoKey, steps: string[]): Promise<CryptoKey> {
  const name = steps.join("/");
  const known = derived.get(secret);
  if (known?.name === name) return known.key;
  const key = derive(secret, steps);
  derived.set(secret, { name, key });
  return key;
}

async function derive(secret: CryptoKey, steps: string[]): Promise<CryptoKey> {
  let key = secret;
  for (const step of steps) key = await importKey(new Uint8Array(await mac(key, step)));
  return key;
}

function importKey(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, HMAC, false, ["sign"]);
}

function mac(key: CryptoKey, text: string): Promise<ArrayBuffer> {
  return crypto.subtle.sign("HMAC", key, encode(text));
}

/** The path of a URL is encoded once already; services other than S3 sign it encoded again. */
function canonicalPath(pathname: string): string {
  const path = pathname.split("/").map(escape).join("/").replace(/\/{2,}/g, "/");
  return path || "/";
}

/** Also how a query is sent that has its signature in it. */
export function canonicalQuery(search: string): string {
  const pairs = search.slice(1).split("&").filter(Boolean).map((pair) => {
    const at = pair.indexOf("=");
    const [name, value] = at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
    return [escape(decodeURIComponent(name)), escape(decodeURIComponent(value))] as const;
  });
  // By name first: as whole texts, `=` would be compared with what longer names go on with.
  pairs.sort(([a, x], [b, y]) => (a === b ? order(x, y) : order(a, b)));
  return pairs.map(([name, value]) => `${name}=${value}`).join("&");
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** RFC 3986: all but unreserved characters, of which encodeURIComponent leaves five out. */
function escape(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;
}

async function hashOf(text: string): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", encode(text)));
}

function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
