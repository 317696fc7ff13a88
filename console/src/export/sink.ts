// Where the bytes of a file go: into memory until it is saved, or at once to a place on the disk.

import { ApiError } from "../api/error.ts";

export interface Sink {
  write(chunk: Uint8Array<ArrayBuffer>): Promise<void> | void;
  /** All came. */
  close(): Promise<void>;
  /** It is given up: nothing half stays behind. */
  abort(): Promise<void>;
}

/** Chunks are handed to the browser in pieces of this size: it keeps large ones on the disk. */
const PIECE_BYTES = 8 * 1024 * 1024;

export class BlobSink implements Sink {
  #pieces: Blob[] = [];
  #chunks: Uint8Array<ArrayBuffer>[] = [];
  #size = 0;

  constructor(private readonly type: string, private readonly save: (blob: Blob) => void) {}

  write(chunk: Uint8Array<ArrayBuffer>): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size >= PIECE_BYTES) this.#fold();
  }

  async close(): Promise<void> {
    this.#fold();
    this.save(new Blob(this.#pieces, { type: this.type }));
    this.#pieces = [];
  }

  async abort(): Promise<void> {
    this.#chunks = [];
    this.#pieces = [];
  }

  #fold(): void {
    this.#pieces.push(new Blob(this.#chunks));
    this.#chunks = [];
    this.#size = 0;
  }
}

/** The part of a FileSystemFileHandle that is used. */
export interface FilePlace {
  createWritable(): Promise<{
    write(chunk: Uint8Array<ArrayBuffer>): Promise<void>;
    close(): Promise<void>;
    abort(): Promise<void>;
  }>;
}

type Picker = (options: {
  suggestedName: string; types: { description: string; accept: Record<string, string[]> }[];
}) => Promise<FilePlace>;

/** Asks where to; only in answer to a press. Null where the browser has no such question. */
export function askPlace(name: string, type: string): Promise<FilePlace> | null {
  const picker = (globalThis as { showSaveFilePicker?: Picker }).showSaveFilePicker;
  if (!picker) return null;
  const extension = name.slice(name.lastIndexOf("."));
  return picker({ suggestedName: name, types: [{ description: extension.slice(1).toUpperCase(), accept: { [type]: [extension] } }] });
}

export async function diskSink(place: FilePlace): Promise<Sink> {
  return place.createWritable();
}

/** Lets an answer flow into a sink. Returns how many bytes came. */
export async function drain(
  operation: string, response: Response, sink: Sink, progress: (received: number, total: number | null) => void,
): Promise<number> {
  const length = Number(response.headers.get("content-length"));
  const total = length > 0 ? length : null;
  let received = 0;
  progress(received, total);
  try {
    const reader = response.body?.getReader();
    for (;;) {
      const next = await reader?.read();
      if (!next || next.done) break;
      await sink.write(next.value);
      received += next.value.length;
      progress(received, total);
    }
    // A body without a length ends as a whole one does.
    if (total !== null && received < total) throw new TypeError("the body ended early");
    await sink.close();
    return received;
  } catch (error) {
    await sink.abort().catch(() => {});
    // A connection that breaks is a TypeError to fetch.
    if (!(error instanceof TypeError)) throw error;
    const of = total === null ? `${received} bytes` : `${received} of ${total} bytes`;
    throw new ApiError(operation, "ConnectionCut", `The connection broke after ${of}.`, 0, response.headers.get("x-amzn-requestid"));
  }
}
