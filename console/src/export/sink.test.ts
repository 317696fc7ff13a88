import { expect, it, vi } from "vitest";
import { BlobSink, type Sink, askPlace, diskSink, drain } from "./sink.ts";

const bytes = (n: number, of = 1) => new Uint8Array(n).fill(of);

function answer(chunks: Uint8Array[], length?: number, fails?: Error): Response {
  const body = new ReadableStream({
    pull(controller) {
      const next = chunks.shift();
      if (next) controller.enqueue(next);
      else if (fails) controller.error(fails);
      else controller.close();
    },
  });
  return new Response(body, { headers: length === undefined ? {} : { "content-length": String(length) } });
}

class Kept implements Sink {
  size = 0;
  ends: string[] = [];
  write(chunk: Uint8Array): void { this.size += chunk.length; }
  async close(): Promise<void> { this.ends.push("closed"); }
  async abort(): Promise<void> { this.ends.push("aborted"); }
}

it("tells progress and closes", async () => {
  const sink = new Kept();
  const told: [number, number | null][] = [];
  expect(await drain("GetClip", answer([bytes(3), bytes(4)], 7), sink, (...at) => told.push(at))).toBe(7);
  expect(told).toEqual([[0, 7], [3, 7], [7, 7]]);
  expect(sink).toMatchObject({ size: 7, ends: ["closed"] });
});

it("does not take a part for the whole", async () => {
  for (const broken of [answer([bytes(3)], 7), answer([bytes(3)], 7, new TypeError("network error"))]) {
    const sink = new Kept();
    const error = await drain("GetClip", broken, sink, () => {}).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ exception: "ConnectionCut", operation: "GetClip" });
    expect(String(error)).toContain("3 of 7 bytes");
    expect(sink.ends).toEqual(["aborted"]);
  }
});

it("hands on what the disk says, and leaves nothing behind", async () => {
  const sink = new Kept();
  sink.write = () => { throw new DOMException("full", "QuotaExceededError"); };
  await expect(drain("GetClip", answer([bytes(3)], 3), sink, () => {})).rejects.toThrow("full");
  expect(sink.ends).toEqual(["aborted"]);
});

it("keeps a file in pieces", async () => {
  const saved: Blob[] = [];
  const sink = new BlobSink("video/mp4", (blob) => saved.push(blob));
  for (let n = 0; n < 5; n++) sink.write(bytes(3 * 1024 * 1024, n));
  await sink.close();
  expect(saved).toHaveLength(1);
  expect(saved[0]).toMatchObject({ size: 15 * 1024 * 1024, type: "video/mp4" });
  const all = new Uint8Array(await (saved[0] as Blob).arrayBuffer());
  expect([all[0], all[4 * 1024 * 1024], all.at(-1)]).toEqual([0, 1, 4]);
});

it("asks for a place where the browser can", async () => {
  expect(askPlace("a.mp4", "video/mp4")).toBe(null);
  const writable = { write: vi.fn(async () => {}), close: vi.fn(async () => {}), abort: vi.fn(async () => {}) };
  const picker = vi.fn(async (_options: object) => ({ createWritable: async () => writable }));
  vi.stubGlobal("showSaveFilePicker", picker);
  const place = await askPlace("a.mp4", "video/mp4");
  vi.unstubAllGlobals();
  expect(picker.mock.calls[0]?.[0]).toEqual({
    suggestedName: "a.mp4", types: [{ description: "MP4", accept: { "video/mp4": [".mp4"] } }],
  });
  if (!place) throw new Error("no place");
  await drain("GetClip", answer([bytes(3)], 3), await diskSink(place), () => {});
  expect(writable.write).toHaveBeenCalledOnce();
  expect(writable.close).toHaveBeenCalledOnce();
});
