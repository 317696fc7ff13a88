// The parameters of the four calls of the Lab, as forms.

import type { ApiName } from "../../api/types.ts";

export type LabCall = "GetHLSStreamingSessionURL" | "GetDASHStreamingSessionURL" | "GetClip" | "GetImages";

export interface Field {
  name: string;
  kind: "choice" | "number" | "time";
  choices?: readonly string[];
  /** What the server takes when it is left out. */
  fallback?: string;
  min?: number;
  max?: number;
  isRequired?: boolean;
}

const ALWAYS = ["ALWAYS", "NEVER"] as const;
const MODE: Field = { name: "PlaybackMode", kind: "choice", choices: ["LIVE", "LIVE_REPLAY", "ON_DEMAND"], fallback: "LIVE" };
const SELECTOR: Field = { name: "FragmentSelectorType", kind: "choice", choices: ["SERVER_TIMESTAMP", "PRODUCER_TIMESTAMP"], fallback: "SERVER_TIMESTAMP" };
const START: Field = { name: "StartTimestamp", kind: "time" };
const END: Field = { name: "EndTimestamp", kind: "time" };
const EXPIRES: Field = { name: "Expires", kind: "number", min: 300, max: 43_200, fallback: "300" };

export const FIELDS: Record<LabCall, readonly Field[]> = {
  GetHLSStreamingSessionURL: [
    MODE, SELECTOR, START, END,
    { name: "ContainerFormat", kind: "choice", choices: ["FRAGMENTED_MP4", "MPEG_TS"], fallback: "FRAGMENTED_MP4" },
    { name: "DiscontinuityMode", kind: "choice", choices: ["ALWAYS", "NEVER", "ON_DISCONTINUITY"], fallback: "" },
    { name: "DisplayFragmentTimestamp", kind: "choice", choices: ALWAYS, fallback: "NEVER" },
    EXPIRES,
    { name: "MaxMediaPlaylistFragmentResults", kind: "number", min: 1, max: 5000, fallback: "5 / 1000" },
  ],
  GetDASHStreamingSessionURL: [
    MODE, SELECTOR, START, END,
    { name: "DisplayFragmentTimestamp", kind: "choice", choices: ALWAYS, fallback: "NEVER" },
    { name: "DisplayFragmentNumber", kind: "choice", choices: ALWAYS, fallback: "NEVER" },
    EXPIRES,
    { name: "MaxManifestFragmentResults", kind: "number", min: 1, max: 5000, fallback: "5 / 1000" },
  ],
  GetClip: [
    { ...SELECTOR, isRequired: true }, { ...START, isRequired: true }, { ...END, isRequired: true },
  ],
  GetImages: [
    { ...SELECTOR, name: "ImageSelectorType", isRequired: true },
    { ...START, isRequired: true }, { ...END, isRequired: true },
    { name: "SamplingInterval", kind: "number", min: 200, fallback: "3000" },
    { name: "Format", kind: "choice", choices: ["JPEG", "PNG"], isRequired: true },
    { name: "JPEGQuality", kind: "number", min: 1, max: 100, fallback: "80" },
    { name: "WidthPixels", kind: "number", min: 1, max: 3840 },
    { name: "HeightPixels", kind: "number", min: 1, max: 2160 },
    { name: "MaxResults", kind: "number", min: 1, max: 100 },
  ],
};

export const API_NAMES: Record<LabCall, ApiName> = {
  GetHLSStreamingSessionURL: "GET_HLS_STREAMING_SESSION_URL",
  GetDASHStreamingSessionURL: "GET_DASH_STREAMING_SESSION_URL",
  GetClip: "GET_CLIP",
  GetImages: "GET_IMAGES",
};

export type Values = Record<string, string>;

/** Epoch seconds of ISO 8601, or of epoch seconds or milliseconds; null when it is none. */
export function parseInstant(text: string): number | null {
  const trimmed = text.trim();
  if (/^\d{9,13}(\.\d+)?$/.test(trimmed)) {
    const value = Number(trimmed);
    return value > 1e11 ? value / 1000 : value;
  }
  // Without a zone it would mean another instant on another computer.
  if (!/(Z|[+-]\d\d:?\d\d)$/.test(trimmed)) return null;
  const ms = Date.parse(trimmed);
  return Number.isFinite(ms) ? ms / 1000 : null;
}

/** The body of the request; what is left empty is left out. */
export function inputOf(call: LabCall, stream: string, values: Values): { StreamName: string } & Record<string, unknown> {
  const get = (name: string) => values[name] || undefined;
  const number = (name: string) => (values[name] ? Number(values[name]) : undefined);
  const time = (name: string) => parseInstant(values[name] ?? "") ?? undefined;
  const range = time("StartTimestamp") === undefined && time("EndTimestamp") === undefined
    ? undefined
    : clean({ StartTimestamp: time("StartTimestamp"), EndTimestamp: time("EndTimestamp") });
  const selector = get("FragmentSelectorType") || range
    ? clean({ FragmentSelectorType: get("FragmentSelectorType"), TimestampRange: range })
    : undefined;
  switch (call) {
    case "GetHLSStreamingSessionURL":
      return clean({
        StreamName: stream, PlaybackMode: get("PlaybackMode"), HLSFragmentSelector: selector,
        ContainerFormat: get("ContainerFormat"), DiscontinuityMode: get("DiscontinuityMode"),
        DisplayFragmentTimestamp: get("DisplayFragmentTimestamp"), Expires: number("Expires"),
        MaxMediaPlaylistFragmentResults: number("MaxMediaPlaylistFragmentResults"),
      });
    case "GetDASHStreamingSessionURL":
      return clean({
        StreamName: stream, PlaybackMode: get("PlaybackMode"), DASHFragmentSelector: selector,
        DisplayFragmentTimestamp: get("DisplayFragmentTimestamp"), DisplayFragmentNumber: get("DisplayFragmentNumber"),
        Expires: number("Expires"), MaxManifestFragmentResults: number("MaxManifestFragmentResults"),
      });
    case "GetClip":
      return clean({ StreamName: stream, ClipFragmentSelector: selector });
    case "GetImages":
      return clean({
        StreamName: stream, ImageSelectorType: get("ImageSelectorType"),
        StartTimestamp: time("StartTimestamp"), EndTimestamp: time("EndTimestamp"),
        SamplingInterval: number("SamplingInterval"), Format: get("Format"),
        FormatConfig: get("JPEGQuality") ? { JPEGQuality: values["JPEGQuality"] } : undefined,
        WidthPixels: number("WidthPixels"), HeightPixels: number("HeightPixels"), MaxResults: number("MaxResults"),
      });
  }
}

function clean<Value extends object>(value: Value): Value {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Value;
}

/** Tokens open media to whoever has them. */
export function hideTokens(text: string): string {
  return text.replace(/(SessionToken=)[^&"\s]+/g, "$1…");
}
