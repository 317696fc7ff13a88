// The address of OpenLive, and why it does not answer.

import { type ApiError, fromResponse } from "../../api/error.ts";
import type { Client } from "../../api/client.ts";

const PATH = "/streamkeep/openLive";
/** As long as the server lets such an address live. */
const EXPIRES_SECONDS = 30;

/** Presigned, to be used at once. */
export async function openLiveUrl(client: Client): Promise<string> {
  const url = await client.presign(PATH, EXPIRES_SECONDS);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

export type LiveAnswer =
  /** It is there: the connection failed for another reason. */
  | { is: "there" }
  /** This server has no live pictures. */
  | { is: "missing" }
  | { is: "refused"; error: ApiError }
  | { is: "offline" };

/** A browser does not tell why a WebSocket was refused: the same address by GET does. */
export async function askOpenLive(client: Client): Promise<LiveAnswer> {
  let response: Response;
  try {
    response = await fetch(await client.presign(PATH, EXPIRES_SECONDS), { cache: "no-store", credentials: "omit" });
  } catch {
    return { is: "offline" };
  }
  const error = await fromResponse("OpenLive", response);
  // "This is no WebSocket handshake": one would have been taken.
  if (response.status === 426 || error.exception === "InvalidArgumentException") return { is: "there" };
  if (response.status === 403 || error.isDenied) return { is: "refused", error };
  return response.status >= 500 && response.status !== 501 ? { is: "offline" } : { is: "missing" };
}
