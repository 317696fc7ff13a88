import { useEffect, useState } from "preact/hooks";
import { type Api, imageBlob } from "../../api/operations.ts";

/** The address of a picture of an instant, by the server's clock in seconds; undefined until it is there. */
export function useStill(api: Api, stream: string, at: number | undefined, widthPixels: number): string | undefined {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    if (!at) return;
    const controller = new AbortController();
    let made: string | undefined;
    api.getThumbnails({ StreamName: stream, Timestamps: [at], WidthPixels: widthPixels }, controller.signal)
      .then(([found]) => {
        if (!found?.ImageContent || controller.signal.aborted) return;
        made = URL.createObjectURL(imageBlob(found.ImageContent));
        setUrl(made);
      })
      .catch(() => {});
    return () => {
      controller.abort();
      if (made) URL.revokeObjectURL(made);
    };
  }, [at, stream]);
  return url;
}
