// Signed calls. One client per sign-in; dropped with the key.

import { presign } from "../sign/presign.ts";
import { type Credentials, type Scope, sign } from "../sign/sigv4.ts";
import type { ServerClock } from "./clock.ts";
import { ApiError, fromResponse, isAbort } from "./error.ts";

const SERVICE = "kinesisvideo";

/** What a call of `operation` is addressed to. */
export interface Target {
  /** `https://host:port`. */
  endpoint: string;
  path: string;
}

export interface CallEvents {
  /** An answer came, whatever it says. */
  answered?(): void;
  /** No answer came. */
  unreachable?(error: ApiError): void;
  /** The key is not accepted any more. */
  refused?(error: ApiError): void;
}

export class Client {
  /** Region of resource names, once an answer told it: only what is copied for the CLI needs it. */
  region = "us-east-1";

  constructor(
    /** Where the control plane is. */
    readonly base: string,
    private readonly credentials: Credentials,
    readonly clock: ServerClock,
    private readonly events: CallEvents = {},
  ) {}

  /** A call that answers JSON. */
  async call<Answer>(operation: string, target: Target, input: object, signal?: AbortSignal): Promise<Answer> {
    const response = await this.send(operation, target, input, signal);
    return (await response.json()) as Answer;
  }

  /** A call with whatever answer; one that is not 2xx throws. `more` headers are signed too. */
  async send(
    operation: string, target: Target, input: object, signal?: AbortSignal, more: Record<string, string> = {},
  ): Promise<Response> {
    const url = new URL(target.path, target.endpoint);
    const body = JSON.stringify(input);
    let response: Response;
    try {
      const request = { method: "POST", url, headers: { ...more, "content-type": "application/json" }, body };
      const headers = await sign(request, this.credentials, this.#scope, this.#now);
      response = await fetch(url, {
        method: "POST", headers, body, cache: "no-store", credentials: "omit", ...(signal ? { signal } : {}),
      });
    } catch (error) {
      if (isAbort(error)) throw error;
      const failure = new ApiError(operation, "NetworkError", `${url.host} did not answer.`, 0, null);
      this.events.unreachable?.(failure);
      throw failure;
    }
    this.events.answered?.();
    if (response.ok) return response;
    const failure = await fromResponse(operation, response);
    if (failure.isSignature) this.events.refused?.(failure);
    throw failure;
  }

  /** An address of the control plane that is good by itself for a while: for a GET, or a WebSocket. */
  presign(path: string, expiresSeconds: number): Promise<URL> {
    return presign(new URL(path, this.base), this.credentials, this.#scope, this.#now, expiresSeconds);
  }

  get #scope(): Scope {
    return { region: this.region, service: SERVICE };
  }

  get #now(): Date {
    return new Date(this.clock.now());
  }
}
