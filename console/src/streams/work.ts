// One change to many streams: four at a time, and which of them failed.

import { type ApiError, asApiError } from "../api/error.ts";
import type { Api } from "../api/operations.ts";
import type { StreamInfo } from "../api/types.ts";

const AT_ONCE = 4;
const STREAMS_PER_COVERAGE = 100;

export interface Failure {
  name: string;
  error: ApiError;
}

export async function forEachStream(
  streams: readonly StreamInfo[],
  change: (stream: StreamInfo) => Promise<void>,
  progress: (done: number) => void = () => {},
): Promise<Failure[]> {
  const failures: Failure[] = [];
  let next = 0;
  let done = 0;
  const worker = async () => {
    for (let stream = streams[next++]; stream; stream = streams[next++]) {
      try {
        await change(stream);
      } catch (error) {
        failures.push({ name: stream.StreamName, error: asApiError(error) });
      }
      progress(++done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, streams.length) }, worker));
  return failures;
}

/** A change that names the version: when that is an old one, once more with the new one. */
export async function withVersion(
  api: Api, stream: StreamInfo, change: (stream: StreamInfo) => Promise<void>,
): Promise<void> {
  try {
    await change(stream);
  } catch (error) {
    if (asApiError(error).exception !== "VersionMismatchException") throw error;
    await change(await api.describeStream(stream.StreamName));
  }
}

export interface Stored {
  bytes: number;
  /** Some streams have more runs than were counted. */
  isPartial: boolean;
}

/** How much media of these streams is kept. */
export async function storedBytes(
  api: Api, streams: readonly StreamInfo[], until = Date.now() / 1000 + 60, signal?: AbortSignal,
): Promise<Stored> {
  const sum: Stored = { bytes: 0, isPartial: false };
  for (let at = 0; at < streams.length; at += STREAMS_PER_COVERAGE) {
    const some = streams.slice(at, at + STREAMS_PER_COVERAGE);
    const start = Math.min(...some.map((stream) => stream.CreationTime)) - 60;
    if (until <= start) continue;
    const entries = await api.getCoverage({
      Streams: some.map((stream) => stream.StreamName), StartTimestamp: start, EndTimestamp: until, MaxPoints: 1000,
    }, signal);
    for (const entry of entries) {
      if (entry.Error !== null || !entry.Runs) sum.isPartial = true;
      else for (const run of entry.Runs) sum.bytes += run.Bytes;
    }
  }
  return sum;
}

export interface TagChange {
  set: Record<string, string>;
  remove: string[];
}

export async function changeTags(api: Api, name: string, { set, remove }: TagChange): Promise<void> {
  if (remove.length > 0) await api.untagStream(name, remove);
  if (Object.keys(set).length > 0) await api.tagStream(name, set);
}

/** What makes `after` of `before`. */
export function tagChange(before: Record<string, string>, after: Record<string, string>): TagChange {
  return {
    set: Object.fromEntries(Object.entries(after).filter(([key, value]) => before[key] !== value)),
    remove: Object.keys(before).filter((key) => !(key in after)),
  };
}
