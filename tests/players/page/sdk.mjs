// What the KVS viewer pages do: the AWS SDK from a script tag, calls signed in the browser.

const { AWS } = window;

/** `credentials` is {endpoint, region, accessKeyId, secretAccessKey}. */
window.sessionUrl = async (credentials, stream) => {
  const media = await archivedMedia(credentials, stream);
  const output = await media.getHLSStreamingSessionURL({
    StreamName: stream,
    PlaybackMode: "ON_DEMAND",
    HLSFragmentSelector: {
      FragmentSelectorType: "PRODUCER_TIMESTAMP",
      TimestampRange: { StartTimestamp: new Date(Date.now() - 3_600_000), EndTimestamp: new Date() },
    },
  }).promise();
  return output.HLSStreamingSessionURL;
};

/** Bytes of a clip of it all: an answer that is no JSON. */
window.clipLength = async (credentials, stream) => {
  const media = await archivedMedia(credentials, stream);
  const output = await media.getClip({
    StreamName: stream,
    ClipFragmentSelector: {
      FragmentSelectorType: "PRODUCER_TIMESTAMP",
      TimestampRange: { StartTimestamp: new Date(Date.now() - 3_600_000), EndTimestamp: new Date() },
    },
  }).promise();
  return output.Payload.byteLength ?? output.Payload.length;
};

/** What the page learns of a call that is refused. */
window.refusal = async (credentials, stream) => {
  const video = new AWS.KinesisVideo({ ...credentials, maxRetries: 0 });
  try {
    await video.describeStream({ StreamName: stream }).promise();
    return null;
  } catch (error) {
    return { code: error.code, status: error.statusCode, hasRequestId: Boolean(error.requestId) };
  }
};

async function archivedMedia(credentials, stream) {
  const video = new AWS.KinesisVideo(credentials);
  const request = { StreamName: stream, APIName: "GET_HLS_STREAMING_SESSION_URL" };
  const { DataEndpoint: endpoint } = await video.getDataEndpoint(request).promise();
  return new AWS.KinesisVideoArchivedMedia({ ...credentials, endpoint });
}

window.isReady = true;
