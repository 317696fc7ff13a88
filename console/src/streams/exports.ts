// Files that are being made. They go on while somebody looks at another page, and end with the key.

import { effect, signal } from "@preact/signals";
import { ApiError, asApiError, isAbort } from "../api/error.ts";
import { type Api, CLIP_HEADERS } from "../api/operations.ts";
import type { FragmentInfo } from "../api/types.ts";
import { ended } from "../app/session.ts";
import {
  type Cut, type Inside, type Range, clipName, clipRequest, coveringStart, insideOf, isBeyondLimits,
} from "../export/clip.ts";
import { BlobSink, type FilePlace, askPlace, diskSink, drain } from "../export/sink.ts";
import { saveFile } from "../player/snapshot.ts";

export interface ExportOrder {
  stream: string;
  range: Range;
  cut: Cut;
  inside: Inside | null;
}

export type ExportPhase =
  /** The last fragment of the range is still being sent. */
  | "waiting"
  | "loading"
  | "done"
  | "failed";

export interface ExportJob {
  id: number;
  order: ExportOrder;
  /** Of the file. */
  name: string;
  phase: ExportPhase;
  received: number;
  total: number | null;
  error: ApiError | null;
}

/** Newest first. */
export const exportJobs = signal<readonly ExportJob[]>([]);

const TYPE = "video/mp4";
/** A larger file goes to the disk as it comes, so that no memory holds it. Its place is asked for. */
const DISK_BYTES_MIN = 200e6;
const WAIT_MS = 12_000;
const WAIT_STEP_MS = 700;
/** Fragments are at most so long. */
const LOOK_BACK_MS = 20_000;

const controllers = new Map<number, AbortController>();
let lastId = 0;

/** Begins at once, in answer to a press: a place on the disk may have to be asked for. */
export async function startExport(api: Api, order: ExportOrder, serverNow: () => number): Promise<void> {
  const name = clipName(order.stream, order.range);
  const bytes = order.inside ? order.inside.bytes ?? Infinity : 0;
  let place: FilePlace | null = null;
  try {
    place = bytes > DISK_BYTES_MIN ? await askPlace(name, TYPE) : null;
  } catch (error) {
    if (isAbort(error)) return; // no place was chosen
    // Not allowed to ask: it goes through memory.
  }
  const job: ExportJob = {
    id: ++lastId, order, name, received: 0, total: order.inside?.bytes ?? null, error: null,
    phase: order.inside?.isArriving ? "waiting" : "loading",
  };
  exportJobs.value = [job, ...exportJobs.value];
  await run(api, job, place, serverNow);
}

export function cancelExport(id: number): void {
  controllers.get(id)?.abort();
  exportJobs.value = exportJobs.value.filter((job) => job.id !== id);
}

/** The same again, at the place of the one that failed. */
export async function retryExport(api: Api, job: ExportJob, serverNow: () => number): Promise<void> {
  cancelExport(job.id);
  await startExport(api, job.order, serverNow);
}

async function run(api: Api, { id, order, name }: ExportJob, place: FilePlace | null, serverNow: () => number): Promise<void> {
  const controller = new AbortController();
  controllers.set(id, controller);
  const { signal } = controller;
  const patch = (change: Partial<ExportJob>) => {
    exportJobs.value = exportJobs.value.map((job) => (job.id === id ? { ...job, ...change } : job));
  };
  try {
    const inside = await looked(api, order, serverNow, signal, () => patch({ phase: "waiting" }));
    const { input, headers } = await request(api, order, inside, signal);
    patch({ phase: "loading" });
    const response = await api.clip(input, headers, signal);
    const sink = place ? await diskSink(place) : new BlobSink(TYPE, (blob) => saveFile(blob, name));
    let shownAt = 0;
    await drain("GetClip", response, sink, (received, total) => {
      const now = performance.now();
      // Chunks are many: what is drawn is not.
      if (now - shownAt < 100 && received !== total) return;
      shownAt = now;
      patch({ received, total });
    });
    patch({ phase: "done" });
  } catch (error) {
    if (!isAbort(error)) patch({ phase: "failed", error: namedError(error) });
  } finally {
    controllers.delete(id);
  }
}

/** The call that makes the file. */
export async function request(
  api: Api, { stream, range, cut }: Pick<ExportOrder, "stream" | "range" | "cut">,
  inside: Pick<Inside, "fragments" | "bytes"> | null, signal?: AbortSignal,
): Promise<{ input: ReturnType<typeof clipRequest>; headers: Record<string, string> }> {
  const from = cut === "fragments" ? coveringStart(await fragmentsBefore(api, stream, range.from, signal), range.from) : range.from;
  return {
    input: clipRequest(stream, { from, to: range.to }),
    headers: {
      ...(cut === "exact" ? CLIP_HEADERS.exact : {}),
      ...(inside === null || isBeyondLimits(inside) ? CLIP_HEADERS.unlimited : {}),
    },
  };
}

async function fragmentsBefore(api: Api, stream: string, at: number, signal?: AbortSignal): Promise<FragmentInfo[]> {
  const selector = clipRequest(stream, { from: at - LOOK_BACK_MS, to: at }).ClipFragmentSelector;
  const { Fragments } = await api.listFragments({ StreamName: stream, MaxResults: 1000, FragmentSelector: selector }, signal);
  return Fragments;
}

/** What is inside once the end of the range is stored, which is not waited for for ever. Null: not known. */
async function looked(
  api: Api, order: ExportOrder, serverNow: () => number, signal: AbortSignal, onWait: () => void,
): Promise<Inside | null> {
  const { stream, range } = order;
  const until = performance.now() + WAIT_MS;
  let { inside } = order;
  try {
    for (;;) {
      inside ??= await lookInside(api, stream, range, serverNow(), signal);
      if (!inside.isArriving || performance.now() > until) return inside;
      onWait();
      await new Promise((resolve) => setTimeout(resolve, WAIT_STEP_MS));
      signal.throwIfAborted();
      inside = null;
    }
  } catch (error) {
    if (isAbort(error)) throw error;
    // Whoever may not ask what is recorded may be allowed to have it.
    return null;
  }
}

/** The disk's refusals have names too. */
function namedError(error: unknown): ApiError {
  if (error instanceof DOMException) return new ApiError("GetClip", error.name, error.message, 0, null);
  return asApiError(error, "GetClip");
}

/** What of a range is recorded; throws the exception of a stream that may not be looked at. */
export async function lookInside(api: Api, stream: string, range: Range, now: number, signal?: AbortSignal): Promise<Inside> {
  const [entry] = await api.getCoverage({
    Streams: [stream], StartTimestamp: range.from / 1000, EndTimestamp: range.to / 1000, MaxPoints: 5000,
  }, signal);
  if (!entry) throw new ApiError("GetCoverage", "ConsoleError", "The answer was empty.", 200, null);
  if (entry.Error) throw new ApiError("GetCoverage", entry.Error.Code, entry.Error.Message, 200, null);
  return insideOf(entry, range, now);
}

// Who signs out leaves nothing running; an idle lock lets a long file end.
effect(() => {
  if (ended.value === "signed-out") for (const { id } of exportJobs.peek()) cancelExport(id);
});

addEventListener("beforeunload", (event) => {
  if (controllers.size > 0) event.preventDefault();
});
