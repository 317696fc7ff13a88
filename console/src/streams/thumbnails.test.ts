import { expect, test } from "vitest";
import type { Api } from "../api/operations.ts";
import { Thumbnails } from "./thumbnails.ts";

/** Answers when told to. */
function setUp() {
  const asked: { name: string; answer: (images: object[]) => void; fail: (error: Error) => void }[] = [];
  const getThumbnails = ({ StreamName }: { StreamName: string }) => new Promise((answer, fail) => {
    asked.push({ name: StreamName, answer, fail });
  });
  const thumbnails = new Thumbnails({ getThumbnails } as unknown as Api);
  thumbnails.want(["a", "b", "c", "d", "e", "f"].map((name) => ({ name, at: 1 })));
  const names = () => asked.map(({ name }) => name).join("");
  const settle = () => new Promise((resolve) => setTimeout(resolve));
  return { asked, names, settle, thumbnails };
}

test("the first picture is asked for alone, then four at a time", async () => {
  const { asked, names, settle, thumbnails } = setUp();
  expect(names()).toBe("a");
  asked[0]?.answer([{ TimeStamp: 1, ImageContent: "/9g=" }]);
  await settle();
  expect(names()).toBe("abcde");
  expect(thumbnails.known.value.get("a")).toMatchObject({ atMs: 1000, url: expect.stringMatching(/^blob:/) });
  asked[2]?.answer([]);
  await settle();
  expect(names()).toBe("abcdef");
  thumbnails.close();
});

test("a first picture that cannot be had holds no other", async () => {
  const { asked, names, settle, thumbnails } = setUp();
  asked[0]?.fail(new Error("no"));
  await settle();
  expect(names()).toBe("abcde");
  expect(thumbnails.known.value.get("a")).toEqual({ url: null, atMs: null });
  thumbnails.close();
});
