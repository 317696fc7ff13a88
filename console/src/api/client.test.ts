import { afterEach, expect, it, vi } from "vitest";
import { importSecret } from "../sign/sigv4.ts";
import { Client } from "./client.ts";
import { ServerClock } from "./clock.ts";
import { ApiError } from "./error.ts";
import { Api } from "./operations.ts";

afterEach(() => vi.unstubAllGlobals());

async function api(answer: () => Response | Promise<Response>, events = {}) {
  const sent: { url: string; init: RequestInit }[] = [];
  vi.stubGlobal("fetch", async (url: URL, init: RequestInit) => {
    sent.push({ url: String(url), init });
    return answer();
  });
  const clock = new ServerClock();
  clock.add(0, 3_600_001, 2);
  const credentials = { accessKeyId: "AKIDEXAMPLE", key: await importSecret("secret") };
  return { sent, api: new Api(new Client("http://127.0.0.1:8400", credentials, clock, events)) };
}

it("signs by the server's clock", async () => {
  const { sent, api: made } = await api(() => Response.json({ StreamInfoList: [], NextToken: null }));
  await made.listStreams({ max: 10 });
  const headers = sent[0]?.init.headers as Record<string, string>;
  expect(sent[0]?.url).toBe("http://127.0.0.1:8400/listStreams");
  expect(sent[0]?.init.body).toBe('{"MaxResults":10}');
  const date = headers["x-amz-date"] ?? "";
  const at = Date.parse(date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  expect(Math.abs(at - Date.now() - 3_600_000)).toBeLessThan(5000);
});

it("says what was refused", async () => {
  const refused = vi.fn();
  const { api: made } = await api(
    () => new Response('{"message":"The security token included in the request is invalid."}', {
      status: 403,
      headers: { "x-amzn-ErrorType": "UnrecognizedClientException", "x-amzn-RequestId": "r-1" },
    }),
    { refused },
  );
  const error = await made.describeStream("gate").catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({
    operation: "DescribeStream", exception: "UnrecognizedClientException", status: 403, requestId: "r-1",
    isSignature: true, isDenied: false,
  });
  expect(refused).toHaveBeenCalledOnce();
});

it("knows a clock that is off", () => {
  const error = new ApiError("X", "InvalidSignatureException", "Signature expired: a is now earlier than b", 403, null);
  expect(error.isClockSkew).toBe(true);
});

it("tells no answer from a bad one", async () => {
  const unreachable = vi.fn();
  const { api: made } = await api(() => Promise.reject(new TypeError("Failed to fetch")), { unreachable });
  await expect(made.listTags("gate")).rejects.toMatchObject({ isOffline: true, exception: "NetworkError" });
  expect(unreachable).toHaveBeenCalledOnce();
});

it("asks for an endpoint once", async () => {
  const { sent, api: made } = await api(() => Response.json({ DataEndpoint: "http://127.0.0.1:9", Fragments: [] }));
  await made.listFragments({ StreamName: "gate" });
  await made.listFragments({ StreamName: "gate" });
  expect(sent.map(({ url }) => url)).toEqual([
    "http://127.0.0.1:8400/getDataEndpoint", "http://127.0.0.1:9/listFragments", "http://127.0.0.1:9/listFragments",
  ]);
  made.forget("gate");
  await made.listFragments({ StreamName: "gate" });
  expect(sent).toHaveLength(5);
});

it("sends the difference of a retention", async () => {
  const { sent, api: made } = await api(() => Response.json({}));
  const stream = { StreamName: "gate", Version: "v", DataRetentionInHours: 24 } as never;
  await made.updateDataRetention(stream, 2);
  await made.updateDataRetention(stream, 24);
  expect(sent.map(({ init }) => JSON.parse(String(init.body)))).toEqual([{
    StreamName: "gate", CurrentVersion: "v", Operation: "DECREASE_DATA_RETENTION", DataRetentionChangeInHours: 22,
  }]);
});
