// Query signatures of the published suite: aws-c-auth `tests/aws-signing-test-suite/v4`, Apache-2.0.

import { expect, test } from "vitest";
import { presign } from "./presign.ts";
import { importSecret } from "./sigv4.ts";

const SCOPE = { region: "us-east-1", service: "service" };
const NOW = new Date("2015-08-30T12:36:00Z");
const TOKEN = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";

test.each([
  ["get-vanilla-query-order-encoded", "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1", undefined,
    "c5f1848ceec943ac2ca68ee720460c23aaae30a2300586597ada94c4a65e4787"],
  ["get-vanilla-with-session-token", "/", TOKEN, "7ff2b50b376cb4d151970630573d6291dc128cc5c2a12ffb237f73cc53f67b6c"],
])("the published vector %s", async (_, target, sessionToken, signature) => {
  const key = await importSecret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  const credentials = { accessKeyId: "AKIDEXAMPLE", key, ...(sessionToken ? { sessionToken } : {}) };
  const url = await presign(new URL(`https://example.amazonaws.com${target}`), credentials, SCOPE, NOW, 3600);
  expect(url.searchParams.get("X-Amz-Signature")).toBe(signature);
  expect(url.searchParams.get("X-Amz-Expires")).toBe("3600");
  expect(url.searchParams.get("X-Amz-Credential")).toBe("AKIDEXAMPLE/20150830/us-east-1/service/aws4_request");
  expect(url.searchParams.get("X-Amz-Security-Token")).toBe(sessionToken ?? null);
});
