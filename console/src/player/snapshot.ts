// The picture on the screen as a file.

export async function saveSnapshot(video: HTMLVideoElement, stream: string, wallMs: number): Promise<void> {
  if (!video.videoWidth) return;
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
  if (blob) saveFile(blob, fileName(stream, wallMs, "jpg"));
}

/** The instant is UTC, in a form that every file system takes. */
export function fileName(stream: string, wallMs: number, extension: string): string {
  return `${stream}_${new Date(wallMs).toISOString().replaceAll(":", "-")}.${extension}`;
}

export function saveFile(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
