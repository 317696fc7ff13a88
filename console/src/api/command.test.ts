import { expect, it } from "vitest";
import { asCli, asCurl, commandOf, optionOf } from "./command.ts";

it("spells options as the AWS CLI does", () => {
  expect(optionOf("DataRetentionInHours")).toBe("--data-retention-in-hours");
  expect(optionOf("HLSFragmentSelector")).toBe("--hls-fragment-selector");
  expect(optionOf("StreamARN")).toBe("--stream-arn");
  expect(commandOf("GetHLSStreamingSessionURL")).toBe("get-hls-streaming-session-url");
  expect(commandOf("GetDASHStreamingSessionURL")).toBe("get-dash-streaming-session-url");
});

it("quotes for the shell", () => {
  const input = { StreamName: "it's", Absent: undefined, FormatConfig: { JPEGQuality: "80" } };
  expect(asCli("kinesis-video-archived-media", "GetClip", "http://127.0.0.1:8400", input, "out.mp4")).toBe(
    [
      "aws kinesis-video-archived-media get-clip",
      `--stream-name 'it'\\''s'`,
      `--format-config '{"JPEGQuality":"80"}'`,
      "--endpoint-url http://127.0.0.1:8400",
      "out.mp4",
    ].join(" \\\n    "),
  );
});

it("lets curl sign", () => {
  const line = asCurl("http://h/listStreams", "us-west-2", {});
  expect(line).toContain("--aws-sigv4 aws:amz:us-west-2:kinesisvideo");
  expect(line).toContain("--data '{}'");
});
