// Shapes of requests and answers. Instants are epoch seconds, as on the wire.

export type SelectorType = "SERVER_TIMESTAMP" | "PRODUCER_TIMESTAMP";

export interface StreamInfo {
  StreamName: string;
  StreamARN: string;
  DeviceName: string | null;
  MediaType: string | null;
  KmsKeyId: string;
  Version: string;
  Status: "CREATING" | "ACTIVE" | "UPDATING" | "DELETING";
  CreationTime: number;
  DataRetentionInHours: number;
}

export interface ListStreamsAnswer {
  StreamInfoList: StreamInfo[];
  NextToken: string | null;
}

export interface TimestampRange {
  StartTimestamp: number;
  EndTimestamp?: number;
}

export interface FragmentSelector {
  FragmentSelectorType: SelectorType;
  TimestampRange?: TimestampRange;
}

export type PlaybackMode = "LIVE" | "LIVE_REPLAY" | "ON_DEMAND";

export interface HlsSessionRequest {
  StreamName: string;
  PlaybackMode?: PlaybackMode;
  HLSFragmentSelector?: FragmentSelector;
  ContainerFormat?: "FRAGMENTED_MP4" | "MPEG_TS";
  DiscontinuityMode?: "ALWAYS" | "NEVER" | "ON_DISCONTINUITY";
  DisplayFragmentTimestamp?: "ALWAYS" | "NEVER";
  Expires?: number;
  MaxMediaPlaylistFragmentResults?: number;
}

export interface DashSessionRequest {
  StreamName: string;
  PlaybackMode?: PlaybackMode;
  DASHFragmentSelector?: FragmentSelector;
  DisplayFragmentTimestamp?: "ALWAYS" | "NEVER";
  DisplayFragmentNumber?: "ALWAYS" | "NEVER";
  Expires?: number;
  MaxManifestFragmentResults?: number;
}

export interface FragmentInfo {
  FragmentNumber: string;
  FragmentSizeInBytes: number;
  ProducerTimestamp: number;
  ServerTimestamp: number;
  FragmentLengthInMilliseconds: number;
}

export interface ListFragmentsRequest {
  StreamName: string;
  MaxResults?: number;
  NextToken?: string;
  FragmentSelector?: FragmentSelector;
}

export interface ClipRequest {
  StreamName: string;
  ClipFragmentSelector: {
    FragmentSelectorType: SelectorType;
    TimestampRange: { StartTimestamp: number; EndTimestamp: number };
  };
}

export interface ImagesRequest {
  StreamName: string;
  ImageSelectorType: SelectorType;
  StartTimestamp: number;
  EndTimestamp: number;
  SamplingInterval?: number;
  Format: "JPEG" | "PNG";
  FormatConfig?: { JPEGQuality: string };
  WidthPixels?: number;
  HeightPixels?: number;
  MaxResults?: number;
  NextToken?: string;
}

export interface ImageEntry {
  TimeStamp: number;
  Error: "NO_MEDIA" | "MEDIA_ERROR" | null;
  ImageContent?: string;
}

export interface ThumbnailEntry extends ImageEntry {
  FrameTimestamp: number | null;
}

export interface ItemError {
  Code: string;
  Message: string;
}

export type GapReason =
  | "NO_SESSION" | "NO_MEDIA" | "REFUSED" | "EXPIRED" | "DELETED" | "DAMAGED"
  | "SERVER_STOPPED" | "KEY_DISABLED" | "CLOCK_JUMP" | "NOT_CREATED" | "UNKNOWN";

export interface CoverageRequest {
  Streams: string[];
  StartTimestamp: number;
  EndTimestamp: number;
  MaxPoints?: number;
  FragmentSelectorType?: SelectorType;
}

export type CoverageEntry =
  | { StreamName: string; Error: ItemError }
  | {
      StreamName: string;
      Error: null;
      Runs: { StartTimestamp: number; EndTimestamp: number; FragmentCount: number; Bytes: number }[] | null;
      Buckets: { BucketSeconds: number; RecordedSeconds: number[] } | null;
      Gaps: { StartTimestamp: number; EndTimestamp: number; Reason: GapReason; ErrorId: number | null }[];
    };

export type StreamState = "LIVE" | "SILENT" | "REFUSED" | "OFF";

export interface AckTimes {
  P50Milliseconds: number;
  P99Milliseconds: number;
}

export interface StreamHealth {
  StreamName: string;
  Error: null;
  State: StreamState;
  StateSince: number | null;
  SessionSince: number | null;
  Producer: string | null;
  FragmentsPerSecond: number | null;
  BitsPerSecond: number | null;
  MinuteFragmentsPerSecond: number | null;
  MinuteBitsPerSecond: number | null;
  CodecIds: string[];
  WidthPixels: number | null;
  HeightPixels: number | null;
  FramesPerSecond: number | null;
  KeyFrameIntervalMilliseconds: number | null;
  LastFragment: { FragmentNumber: string; ProducerTimestamp: number; ServerTimestamp: number } | null;
  LastError: { ErrorId: number; ErrorCode: string; TimeStamp: number } | null;
  ReceivedAck: AckTimes | null;
  PersistedAck: AckTimes | null;
  ClockSkewMilliseconds: number | null;
  Viewers: number;
  /** Where it was asked for. Oldest first; null where nothing is known. */
  BitRateHistory: { StepSeconds: number; EndTimestamp: number; BitsPerSecond: (number | null)[] } | null;
}

export type HealthEntry = StreamHealth | { StreamName: string; Error: ItemError };

export type TagsEntry =
  | { StreamName: string; Error: ItemError }
  | { StreamName: string; Error: null; Tags: Record<string, string> };

export type ProblemKind =
  | "STORE_READ_ONLY" | "DISK_FULL_SOON" | "DISK_USAGE" | "DISK_UNKNOWN" | "STORE_DEGRADED" | "WRITE_FAILURES"
  | "DAMAGED_READS" | "SYNC_SLOW" | "ACKS_SLOW" | "BACK_PRESSURE" | "CLOCK" | "STREAMS_REFUSED" | "DECODERS_FAIL"
  | "DELIVERIES_DEAD" | "DELIVERIES_REFUSED" | "CERTIFICATE_EXPIRES";

export interface Problem {
  Severity: "CRITICAL" | "WARNING";
  What: ProblemKind;
  /** A sentence, in English. */
  Text: string;
  Since: number;
}

/** Null with a count: above 10 s. */
export interface Latency {
  Count: number;
  P50Milliseconds: number | null;
  P99Milliseconds: number | null;
}

export interface DiskHealth {
  TotalBytes: number;
  AvailableBytes: number;
  RefuseBelowBytes: number;
  FootageBytes: number | null;
  FootageVolumes: number | null;
  StoredBytesPerSecond: number;
  WrittenBytesPerSecond: number;
  DayStoredBytesPerSecond: number | null;
  DaySeconds: number;
  FreedWithinDayBytes: number | null;
  FreedWithinWeekBytes: number | null;
  Outlook: "FILLS" | "HOLDS" | "MEASURING";
  DaysUntilFull: number | null;
  History: { StepSeconds: number; StoredBytesPerSecond: number[] };
}

export interface ServerHealth {
  Problems: Problem[];
  Version: string;
  StartTimestamp: number;
  Timestamp: number;
  WindowSeconds: number;
  Disk: DiskHealth | null;
  Store: {
    State: "OK" | "DEGRADED" | "READ_ONLY";
    SyncsPerSecond: number;
    Sync: Latency;
    QueuedBytes: number;
    QueuedBytesMax: number;
    UnsealedVolumes: number;
    WriteFailures: number;
    DamagedReads: number;
  };
  Ingest: {
    Streams: number;
    Live: number;
    Silent: number;
    Refused: number;
    Off: number;
    Sessions: number;
    FragmentsPerSecond: number;
    PersistedAck: Latency;
    ErrorAcks: number;
    CallsRefused: number;
  };
  Playback: {
    GetMediaConnections: number;
    OpenLiveTiles: number;
    Connections: number;
    RequestsPerSecond: number;
    SentBytesPerSecond: number;
  };
  Decoders: { Workers: number; WorkersMax: number; Busy: number; Waiting: number; Pictures: number; Lost: number };
  Deliveries: { Waiting: number; Dead: number; Delivered: number };
  Certificate: { NotAfter: number } | null;
}

export interface ThumbnailsRequest {
  StreamName: string;
  Timestamps?: number[];
  StartTimestamp?: number;
  EndTimestamp?: number;
  Count?: number;
  FragmentSelectorType?: SelectorType;
  WidthPixels?: number;
}

export type ApiName =
  | "PUT_MEDIA" | "GET_MEDIA" | "LIST_FRAGMENTS" | "GET_MEDIA_FOR_FRAGMENT_LIST"
  | "GET_HLS_STREAMING_SESSION_URL" | "GET_DASH_STREAMING_SESSION_URL" | "GET_CLIP" | "GET_IMAGES";
