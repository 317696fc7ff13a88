// Who is signed in. Keys are in memory only: a reload is a new sign-in.

import { signal } from "@preact/signals";
import { Client } from "../api/client.ts";
import { ServerClock, measure } from "../api/clock.ts";
import { ApiError, asApiError, fromResponse } from "../api/error.ts";
import { Api } from "../api/operations.ts";
import { importSecret } from "../sign/sigv4.ts";
import * as connection from "./connection.ts";

export interface Session {
  api: Api;
  accessKeyId: string;
}

export type Ended = "signed-out" | "idle" | "too-long" | "refused";

export const session = signal<Session | null>(null);
/** Why there is no session any more. */
export const ended = signal<Ended | null>(null);
export const clock = new ServerClock();
/** Server minus this computer, once measured; for what is drawn. */
export const clockOffset = signal<number | null>(null);

/** Nobody has touched the page for long, but it may go on showing what it shows. Whoever wants more signs in. */
export const isUnattended = signal(false);

const IDLE_MS = 15 * 60_000;
const SESSION_MAX_MS = 12 * 3_600_000;
const CLOCK_EVERY_MS = 60_000;
/** Clocks further apart than this are worth a word. Signatures bear five minutes. */
export const SKEW_WORTH_TELLING_MS = 30_000;

/** Where the API is: where the page is from, unless the page says otherwise. */
export const apiBase: string =
  document.querySelector<HTMLMetaElement>('meta[name="streamkeep-api"]')?.content || location.origin;

let mayBeUnattended: (() => boolean) | null = null;
let signedInAt = 0;
let lastInput = 0;

export async function measureClock(): Promise<void> {
  await measure(apiBase, clock);
  if (clock.isKnown) clockOffset.value = clock.offsetMs;
}

connection.watchConnection(measureClock);

/** Throws an {@link ApiError} when the key is not accepted or nobody answers. */
export async function signIn(accessKeyId: string, secret: string, sessionToken = ""): Promise<void> {
  const key = await importSecret(secret);
  await measureClock().catch(() => {
    throw new ApiError("SignIn", "NetworkError", `${new URL(apiBase).host} did not answer.`, 0, null);
  });
  const credentials = { accessKeyId, key, ...(sessionToken ? { sessionToken } : {}) };
  const api = new Api(new Client(apiBase, credentials, clock, {
    answered: connection.answered,
    unreachable: connection.unreachable,
    refused,
  }));
  try {
    await api.listStreams({ max: 1 });
  } catch (error) {
    // Whoever may not list streams is known all the same.
    if (!asApiError(error).isDenied) throw error;
  }
  signedInAt = lastInput = Date.now();
  ended.value = null;
  isUnattended.value = false;
  session.value = { api, accessKeyId };
}

/** The fragment of a one-time sign-in link, taken out of the URL at once. */
export function takeSignInToken(): string | null {
  const found = /^#signin=(.+)$/.exec(location.hash);
  if (!found?.[1]) return null;
  history.replaceState(null, "", location.pathname + location.search);
  try {
    return decodeURIComponent(found[1]);
  } catch {
    return found[1];
  }
}

export async function signInWithToken(token: string): Promise<void> {
  const url = new URL("/console/session", location.origin);
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token }),
    cache: "no-store",
  }).catch(() => {
    throw new ApiError("SignInLink", "NetworkError", `${url.host} did not answer.`, 0, null);
  });
  if (!response.ok) throw await fromResponse("SignInLink", response);
  const { accessKeyId, secretAccessKey, sessionToken } = (await response.json()) as {
    accessKeyId: string; secretAccessKey: string; sessionToken?: string;
  };
  await signIn(accessKeyId, secretAccessKey, sessionToken);
}

/** For a page that only shows: where `may` says so it stays, and nothing else. Ends with the page, by what it returns. */
export function stayUnattended(may: () => boolean): () => void {
  mayBeUnattended = may;
  return () => {
    mayBeUnattended = null;
    if (isUnattended.peek()) signOut("idle");
  };
}

/** Drops the keys; the URL stays. */
export function signOut(why: Ended): void {
  session.value = null;
  isUnattended.value = false;
  ended.value = why;
}

function refused(error: ApiError): void {
  if (!session.peek()) return;
  // Our clock was set meanwhile: the next call signs by a new reading.
  if (error.isClockSkew) void measureClock().catch(() => {});
  else signOut("refused");
}

for (const kind of ["pointerdown", "keydown", "wheel", "touchstart"]) {
  addEventListener(kind, () => { lastInput = Date.now(); }, { passive: true, capture: true });
}

setInterval(() => {
  if (!session.peek()) return;
  const now = Date.now();
  if (now - signedInAt > SESSION_MAX_MS) signOut("too-long");
  else if (now - lastInput <= IDLE_MS || isUnattended.peek()) return;
  else if (mayBeUnattended?.()) isUnattended.value = true;
  else signOut("idle");
}, 5000);

setInterval(() => {
  if (session.peek() && connection.isOnline.peek() && !document.hidden) {
    void measureClock().catch(connection.unreachable);
  }
}, CLOCK_EVERY_MS);
