import { expect, it } from "vitest";
import { hideTokens, inputOf, parseInstant } from "./lab-forms.ts";

it("reads instants that mean the same everywhere", () => {
  expect(parseInstant("2026-11-20T09:00:00.500Z")).toBe(1_795_165_200.5);
  expect(parseInstant("2026-11-20T10:00:00+01:00")).toBe(1_795_165_200);
  expect(parseInstant("1795165200")).toBe(1_795_165_200);
  expect(parseInstant("1795165200500")).toBe(1_795_165_200.5);
  for (const text of ["", "2026-11-20T09:00:00", "now", "12"]) expect(parseInstant(text)).toBe(null);
});

it("leaves out what is empty", () => {
  expect(inputOf("GetHLSStreamingSessionURL", "gate", { PlaybackMode: "" })).toEqual({ StreamName: "gate" });
  expect(inputOf("GetHLSStreamingSessionURL", "gate", {
    PlaybackMode: "ON_DEMAND", FragmentSelectorType: "SERVER_TIMESTAMP", Expires: "600",
    StartTimestamp: "1795165200", EndTimestamp: "1795165260",
  })).toEqual({
    StreamName: "gate", PlaybackMode: "ON_DEMAND", Expires: 600,
    HLSFragmentSelector: {
      FragmentSelectorType: "SERVER_TIMESTAMP",
      TimestampRange: { StartTimestamp: 1_795_165_200, EndTimestamp: 1_795_165_260 },
    },
  });
  expect(inputOf("GetImages", "gate", { ImageSelectorType: "SERVER_TIMESTAMP", Format: "JPEG", JPEGQuality: "70" }))
    .toEqual({ StreamName: "gate", ImageSelectorType: "SERVER_TIMESTAMP", Format: "JPEG", FormatConfig: { JPEGQuality: "70" } });
});

it("hides tokens", () => {
  expect(hideTokens('{"URL":"http://h/x.m3u8?SessionToken=abc~&TrackNumber=1"}'))
    .toBe('{"URL":"http://h/x.m3u8?SessionToken=…&TrackNumber=1"}');
});
