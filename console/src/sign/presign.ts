// AWS Signature Version 4 in the query: a URL that is good for a while by itself, for what cannot send
// headers, as a WebSocket.

import { ALGORITHM, type Credentials, type Scope, canonicalQuery, credentialOf, dateOf, signatureOf } from "./sigv4.ts";

/** The URL with its signature, for a GET without a body. Only the host is signed with it. */
export async function presign(
  url: URL, credentials: Credentials, scope: Scope, now: Date, expiresSeconds: number,
): Promise<URL> {
  const date = dateOf(now);
  const added: Record<string, string> = {
    "X-Amz-Algorithm": ALGORITHM,
    "X-Amz-Credential": credentialOf(credentials, scope, date),
    "X-Amz-Date": date,
    "X-Amz-Expires": String(expiresSeconds),
    "X-Amz-SignedHeaders": "host",
    ...(credentials.sessionToken ? { "X-Amz-Security-Token": credentials.sessionToken } : {}),
  };
  const query = Object.entries(added).map(([name, value]) => `&${name}=${encodeURIComponent(value)}`).join("");
  const signed = new URL(url);
  signed.search = canonicalQuery(`${url.search || "?"}${query}`);
  const request = { method: "GET", url: signed, headers: { host: url.host }, body: "" };
  signed.search += `&X-Amz-Signature=${await signatureOf(request, credentials, scope, date)}`;
  return signed;
}
