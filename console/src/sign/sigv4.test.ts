// Cases of the published suite: aws-c-auth `tests/aws-signing-test-suite/v4`, Apache-2.0. Left out
// are those with raw spaces or UTF-8 in the path: a browser never sends such a path.

import { describe, expect, it } from "vitest";
import { importSecret, sign } from "./sigv4.ts";

const SCOPE = { region: "us-east-1", service: "service" };
const NOW = new Date("2015-08-30T12:36:00Z");
const UNRESERVED = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

interface Vector {
  name: string;
  method?: string;
  target?: string;
  headers?: Record<string, string>;
  body?: string;
  token?: string;
  signature: string;
}

const VECTORS: Vector[] = [
  { name: "get-vanilla", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
  { name: "get-relative-normalized", target: "/example/..", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
  { name: "get-slash-normalized", target: "//", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
  { name: "get-slash-pointless-dot-normalized", target: "/./example", signature: "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5" },
  { name: "get-unreserved", target: `/${UNRESERVED}`, signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f" },
  { name: "get-vanilla-empty-query-key", target: "/?Param1=value1", signature: "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb" },
  { name: "get-vanilla-query-order-encoded", target: "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1", signature: "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac" },
  { name: "get-vanilla-query-order-key-case", target: "/?Param2=value2&Param1=value1", signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
  { name: "get-vanilla-query-unreserved", target: `/?${UNRESERVED}=${UNRESERVED}`, signature: "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197" },
  { name: "get-vanilla-utf8-query", target: "/?ሴ=bar", signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04" },
  { name: "get-header-value-trim", headers: { "My-Header1": " value1", "My-Header2": ' "a   b   c"' }, signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736" },
  { name: "get-vanilla-with-session-token", token: "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267", signature: "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8" },
  { name: "post-vanilla", method: "POST", signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
  { name: "post-vanilla-query", method: "POST", target: "/?Param1=value1", signature: "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11" },
  { name: "post-header-key-sort", method: "POST", headers: { "My-Header1": "value1" }, signature: "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c" },
  { name: "post-header-value-case", method: "POST", headers: { "My-Header1": "VALUE1" }, signature: "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d" },
  {
    name: "post-x-www-form-urlencoded",
    method: "POST",
    headers: {
      "Content-Type": "application/x-www-form-urlencoded",
      "Content-Length": "13",
      // The suite signs it where there is a body.
      "x-amz-content-sha256": "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
    },
    body: "Param1=value1",
    signature: "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
  },
];

async function credentials(token?: string) {
  const key = await importSecret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  return { accessKeyId: "AKIDEXAMPLE", key, ...(token ? { sessionToken: token } : {}) };
}

describe("the published vectors", () => {
  it.each(VECTORS)("$name", async ({ method = "GET", target = "/", headers = {}, body = "", token, signature }) => {
    const request = { method, url: new URL(`https://example.amazonaws.com${target}`), headers, body };
    const signed = await sign(request, await credentials(token), SCOPE, NOW);
    expect(signed["authorization"]).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20150830\/us-east-1\/service\/aws4_request, /,
    );
    expect(signed["authorization"]?.split("Signature=")[1]).toBe(signature);
  });
});

describe("keys", () => {
  it("cannot be read out", async () => {
    const { key } = await credentials();
    expect(key.extractable).toBe(false);
    await expect(crypto.subtle.exportKey("raw", key)).rejects.toThrow();
  });

  it("are made anew for another day", async () => {
    const made = await credentials();
    const request = { method: "GET", url: new URL("https://example.amazonaws.com/"), headers: {}, body: "" };
    const first = await sign(request, made, SCOPE, NOW);
    const next = await sign(request, made, SCOPE, new Date("2015-08-31T12:36:00Z"));
    const again = await sign(request, made, SCOPE, NOW);
    expect(next["authorization"]).not.toBe(first["authorization"]);
    expect(again["authorization"]).toBe(first["authorization"]);
  });
});
