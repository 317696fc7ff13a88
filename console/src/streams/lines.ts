// Lines to paste that put media into a stream.

export function demoLine(): string {
  return "streamkeep demo";
}

export function putLine(stream: string, creates: boolean): string {
  return `streamkeep put ${stream} video.mp4${creates ? " --create --retention-hours 24" : ""}`;
}

export function kvssinkLines(endpoint: string, stream: string): string {
  return [
    `export CONTROL_PLANE_URI=${endpoint}`,
    "gst-launch-1.0 videotestsrc is-live=true \\",
    "    ! x264enc key-int-max=50 tune=zerolatency \\",
    "    ! video/x-h264,stream-format=avc,alignment=au \\",
    `    ! kvssink stream-name=${stream}`,
  ].join("\n");
}

/** The variables that clients read. The secret is for the reader to fill in. */
export function environmentLines(endpoint: string, accessKeyId: string, region: string): string {
  return [
    `export AWS_ACCESS_KEY_ID=${accessKeyId}`,
    "export AWS_SECRET_ACCESS_KEY=…",
    `export AWS_DEFAULT_REGION=${region}`,
    `export AWS_ENDPOINT_URL_KINESIS_VIDEO=${endpoint}`,
  ].join("\n");
}
