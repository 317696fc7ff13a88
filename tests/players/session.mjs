// URLs of playback sessions.

/** `span` is "live" or {start, end} in milliseconds. */
export async function hlsUrl(server, stream, span, { ts = false, discontinuity, lowLatency, axis } = {}) {
  const { HLSStreamingSessionURL: url } = await server.call("GetHLSStreamingSessionURL", {
    StreamName: stream,
    ...wanted(span, "HLSFragmentSelector", axis),
    ContainerFormat: ts ? "MPEG_TS" : "FRAGMENTED_MP4",
    ...(discontinuity ? { DiscontinuityMode: discontinuity } : {}),
    ...(span === "live" ? { MaxMediaPlaylistFragmentResults: 10 } : {}),
  });
  return lowLatency ? `${url}&LowLatency=1` : url;
}

export async function dashUrl(server, stream, span, { axis } = {}) {
  const { DASHStreamingSessionURL: url } = await server.call("GetDASHStreamingSessionURL", {
    StreamName: stream,
    ...wanted(span, "DASHFragmentSelector", axis),
    ...(span === "live" ? { MaxManifestFragmentResults: 10 } : {}),
  });
  return url;
}

function wanted(span, member, axis = "PRODUCER_TIMESTAMP") {
  if (span === "live") return { PlaybackMode: "LIVE", [member]: { FragmentSelectorType: axis } };
  const range = { StartTimestamp: span.start / 1000, EndTimestamp: span.end / 1000 };
  return {
    PlaybackMode: "ON_DEMAND",
    [member]: { FragmentSelectorType: axis, TimestampRange: range },
  };
}
