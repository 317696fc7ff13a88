// The calls of the console, typed.

import type { Client, Target } from "./client.ts";
import type {
  ApiName, ClipRequest, CoverageEntry, CoverageRequest, DashSessionRequest, FragmentInfo, HealthEntry,
  HlsSessionRequest, ImageEntry, ImagesRequest, ListFragmentsRequest, ListStreamsAnswer,
  ServerHealth, StreamInfo, TagsEntry, ThumbnailEntry, ThumbnailsRequest,
} from "./types.ts";

/** What GetClip does beyond the service, by headers. */
export const CLIP_HEADERS = {
  /** More than 200 fragments or 100 MB. */
  unlimited: { "x-streamkeep-clip-limits": "off" },
  /** Begins and ends at the instants of the range, by an edit list. */
  exact: { "x-streamkeep-clip-exact": "true" },
} as const;

/** Endpoints stay for the life of a stream: asked for once. */
const ENDPOINTS_MAX = 2000;

export class Api {
  #endpoints = new Map<string, Promise<string>>();

  constructor(readonly client: Client) {}

  // Streams.

  async listStreams(
    { max, next, prefix }: { max?: number; next?: string; prefix?: string } = {},
    signal?: AbortSignal,
  ): Promise<ListStreamsAnswer> {
    const answer = await this.#control<ListStreamsAnswer>("ListStreams", {
      ...(max ? { MaxResults: max } : {}),
      ...(next ? { NextToken: next } : {}),
      ...(prefix ? { StreamNameCondition: { ComparisonOperator: "BEGINS_WITH", ComparisonValue: prefix } } : {}),
    }, signal);
    this.#learnRegion(answer.StreamInfoList[0]);
    return answer;
  }

  async describeStream(name: string, signal?: AbortSignal): Promise<StreamInfo> {
    const answer = await this.#control<{ StreamInfo: StreamInfo }>("DescribeStream", { StreamName: name }, signal);
    this.#learnRegion(answer.StreamInfo);
    return answer.StreamInfo;
  }

  async createStream(
    input: { StreamName: string; DataRetentionInHours: number; DeviceName?: string; Tags?: Record<string, string> },
  ): Promise<string> {
    return (await this.#control<{ StreamARN: string }>("CreateStream", input)).StreamARN;
  }

  async deleteStream(stream: StreamInfo): Promise<void> {
    this.forget(stream.StreamName);
    await this.#control("DeleteStream", { StreamARN: stream.StreamARN, CurrentVersion: stream.Version });
  }

  /** Sets the retention to `hours`; the wire takes the difference. */
  async updateDataRetention(stream: StreamInfo, hours: number): Promise<void> {
    const change = hours - stream.DataRetentionInHours;
    if (change === 0) return;
    await this.#control("UpdateDataRetention", {
      StreamName: stream.StreamName,
      CurrentVersion: stream.Version,
      Operation: change > 0 ? "INCREASE_DATA_RETENTION" : "DECREASE_DATA_RETENTION",
      DataRetentionChangeInHours: Math.abs(change),
    });
  }

  async listTags(name: string, signal?: AbortSignal): Promise<Record<string, string>> {
    const answer = await this.#control<{ Tags: Record<string, string> | null }>(
      "ListTagsForStream", { StreamName: name }, signal,
    );
    return answer.Tags ?? {};
  }

  async tagStream(name: string, tags: Record<string, string>): Promise<void> {
    await this.#control("TagStream", { StreamName: name, Tags: tags });
  }

  async untagStream(name: string, keys: string[]): Promise<void> {
    await this.#control("UntagStream", { StreamName: name, TagKeyList: keys });
  }

  getDataEndpoint(name: string, api: ApiName): Promise<string> {
    const key = `${api} ${name}`;
    const known = this.#endpoints.get(key);
    if (known) return known;
    if (this.#endpoints.size >= ENDPOINTS_MAX) this.#endpoints.clear();
    const asked = this.#control<{ DataEndpoint: string }>("GetDataEndpoint", { StreamName: name, APIName: api })
      .then((answer) => answer.DataEndpoint);
    this.#endpoints.set(key, asked);
    asked.catch(() => this.#endpoints.delete(key));
    return asked;
  }

  /** What is known of a stream is about one that is gone. */
  forget(name: string): void {
    for (const key of this.#endpoints.keys()) if (key.endsWith(` ${name}`)) this.#endpoints.delete(key);
  }

  // The archive and playback.

  async hlsSessionUrl(input: HlsSessionRequest, signal?: AbortSignal): Promise<string> {
    const answer = await this.#media<{ HLSStreamingSessionURL: string }>(
      "GetHLSStreamingSessionURL", "GET_HLS_STREAMING_SESSION_URL", input, signal,
    );
    return answer.HLSStreamingSessionURL;
  }

  async dashSessionUrl(input: DashSessionRequest, signal?: AbortSignal): Promise<string> {
    const answer = await this.#media<{ DASHStreamingSessionURL: string }>(
      "GetDASHStreamingSessionURL", "GET_DASH_STREAMING_SESSION_URL", input, signal,
    );
    return answer.DASHStreamingSessionURL;
  }

  listFragments(
    input: ListFragmentsRequest, signal?: AbortSignal,
  ): Promise<{ Fragments: FragmentInfo[]; NextToken: string | null }> {
    return this.#media("ListFragments", "LIST_FRAGMENTS", input, signal);
  }

  /** The file as it comes. `headers` ask for more than the service gives: {@link CLIP_HEADERS}. */
  async clip(input: ClipRequest, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
    const target = await this.mediaTarget("GetClip", "GET_CLIP", input.StreamName);
    return this.client.send("GetClip", target, input, signal, headers);
  }

  async getClip(input: ClipRequest, signal?: AbortSignal): Promise<Blob> {
    return (await this.clip(input, {}, signal)).blob();
  }

  /** Fragments by number, each a Matroska document. */
  async fragments(name: string, numbers: string[], signal?: AbortSignal): Promise<Response> {
    const target = await this.mediaTarget("GetMediaForFragmentList", "GET_MEDIA_FOR_FRAGMENT_LIST", name);
    return this.client.send("GetMediaForFragmentList", target, { StreamName: name, Fragments: numbers }, signal);
  }

  getImages(
    input: ImagesRequest, signal?: AbortSignal,
  ): Promise<{ Images: ImageEntry[]; NextToken: string | null }> {
    return this.#media("GetImages", "GET_IMAGES", input, signal);
  }

  // Our own.

  async getCoverage(input: CoverageRequest, signal?: AbortSignal): Promise<CoverageEntry[]> {
    return (await this.#own<{ Streams: CoverageEntry[] }>("GetCoverage", input, signal)).Streams;
  }

  async getStreamHealth(
    streams: string[], { historyMinutes, signal }: { historyMinutes?: number; signal?: AbortSignal } = {},
  ): Promise<HealthEntry[]> {
    const input = { Streams: streams, ...(historyMinutes ? { HistoryMinutes: historyMinutes } : {}) };
    return (await this.#own<{ Streams: HealthEntry[] }>("GetStreamHealth", input, signal)).Streams;
  }

  /** At most 1000 streams, in their order. */
  async getStreamTags(streams: string[], signal?: AbortSignal): Promise<TagsEntry[]> {
    const input = { Streams: streams };
    return (await this.#own<{ Streams: TagsEntry[] }>("GetStreamTags", input, signal)).Streams;
  }

  getServerHealth(signal?: AbortSignal): Promise<ServerHealth> {
    return this.#own("GetServerHealth", {}, signal);
  }

  async getThumbnails(input: ThumbnailsRequest, signal?: AbortSignal): Promise<ThumbnailEntry[]> {
    return (await this.#own<{ Thumbnails: ThumbnailEntry[] }>("GetThumbnails", input, signal)).Thumbnails;
  }

  /** Where an operation of the archive is called for a stream. */
  async mediaTarget(operation: string, api: ApiName, name: string): Promise<Target> {
    return { endpoint: await this.getDataEndpoint(name, api), path: pathOf(operation) };
  }

  #control<Answer>(operation: string, input: object, signal?: AbortSignal): Promise<Answer> {
    const target = { endpoint: this.client.base, path: pathOf(operation) };
    return this.client.call(operation, target, input, signal);
  }

  async #media<Answer>(
    operation: string, api: ApiName, input: { StreamName: string }, signal?: AbortSignal,
  ): Promise<Answer> {
    const target = await this.mediaTarget(operation, api, input.StreamName);
    return this.client.call(operation, target, input, signal);
  }

  #own<Answer>(operation: string, input: object, signal?: AbortSignal): Promise<Answer> {
    const target = { endpoint: this.client.base, path: `/streamkeep${pathOf(operation)}` };
    return this.client.call(operation, target, input, signal);
  }

  #learnRegion(stream: StreamInfo | undefined): void {
    const region = stream?.StreamARN.split(":")[3];
    if (region) this.client.region = region;
  }
}

/** `ListStreams` is called at `/listStreams`. */
export function pathOf(operation: string): string {
  return `/${operation.charAt(0).toLowerCase()}${operation.slice(1)}`;
}

/** The bytes of an image that came as base64. */
export function imageBlob(content: string, format: "JPEG" | "PNG" = "JPEG"): Blob {
  const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
  return new Blob([bytes], { type: format === "PNG" ? "image/png" : "image/jpeg" });
}
