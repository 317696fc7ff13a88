// The one kind of error that calls end with.

/** Answers that say: this is not you, or not now. */
const SIGNATURE = [
  "UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException",
  "IncompleteSignatureException", "MissingAuthenticationTokenException",
];

export class ApiError extends Error {
  constructor(
    /** The operation that was called. */
    readonly operation: string,
    /** Name of the exception; "NetworkError" when there was no answer. */
    readonly exception: string,
    message: string,
    /** HTTP status, 0 without an answer. */
    readonly status: number,
    readonly requestId: string | null,
    readonly at: Date = new Date(),
  ) {
    super(message);
    this.name = exception;
  }

  /** The server was not reached. */
  get isOffline(): boolean {
    return this.status === 0;
  }

  /** The signature was not accepted: whoever asks is not known. */
  get isSignature(): boolean {
    return SIGNATURE.includes(this.exception);
  }

  /** The clocks are too far apart for signatures. */
  get isClockSkew(): boolean {
    return this.exception === "InvalidSignatureException" &&
      /^Signature (expired|not yet current)/.test(this.message);
  }

  /** Known, but not allowed. */
  get isDenied(): boolean {
    return this.exception === "AccessDeniedException" || this.exception === "NotAuthorizedException";
  }

  get isNotFound(): boolean {
    return this.exception === "ResourceNotFoundException";
  }

  /** What a person pastes into a report. Nothing secret is in it. */
  get details(): string {
    return [
      `${this.operation}: ${this.exception}`,
      this.message,
      `status ${this.status}, request id ${this.requestId ?? "none"}, ${this.at.toISOString()}`,
    ].join("\n");
  }
}

/** The call was given up on purpose: no error to show. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

export function asApiError(error: unknown, operation = "Console"): ApiError {
  if (error instanceof ApiError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ApiError(operation, "ConsoleError", message, 0, null);
}

/** Of an answer that is not 2xx. */
export async function fromResponse(operation: string, response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => "");
  let message = text.slice(0, 500);
  try {
    const body = JSON.parse(text) as { Message?: string; message?: string };
    message = body.Message ?? body.message ?? message;
  } catch {
    // A proxy in between may answer with anything.
  }
  const kind = response.headers.get("x-amzn-errortype")?.split(":")[0];
  return new ApiError(
    operation,
    kind || `HTTP ${response.status}`,
    message || response.statusText,
    response.status,
    response.headers.get("x-amzn-requestid"),
  );
}
