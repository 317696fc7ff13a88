import { useState } from "preact/hooks";
import type { Api } from "../api/operations.ts";
import type { StreamInfo } from "../api/types.ts";
import { bytes, t, tn } from "../app/i18n.ts";
import { useLoad } from "../app/load.ts";
import { TextField } from "../ui/field.tsx";
import { Notice } from "../ui/states.tsx";
import { ChangeDialog } from "./change-dialog.tsx";
import { forEachStream, storedBytes, withVersion } from "./work.ts";

interface Props {
  api: Api;
  streams: StreamInfo[];
  onDone: () => void;
  onClose: () => void;
}

/** One is deleted by typing its name, many by typing how many. */
export function DeleteDialog({ api, streams, onDone, onClose }: Props) {
  const only = streams.length === 1 ? streams[0] : undefined;
  const wanted = only ? only.StreamName : String(streams.length);
  const [typed, setTyped] = useState("");
  const stored = useLoad((signal) => storedBytes(api, streams, undefined, signal), [wanted]);
  const size = stored.value && bytes(stored.value.bytes);
  return (
    <ChangeDialog
      title={only ? t("delete.title", { name: only.StreamName }) : tn("delete.titleMany", streams.length)}
      verb={t("delete.verb")}
      isDanger
      isReady={typed.trim() === wanted}
      count={streams.length}
      change={(progress) =>
        forEachStream(streams, (stream) => withVersion(api, stream, (now) => api.deleteStream(now)), progress)}
      onDone={onDone}
      onClose={onClose}
    >
      <Notice kind="bad">
        {size === undefined
          ? t(stored.error ? "delete.lostUnknown" : "delete.lostCounting")
          : t(stored.value?.isPartial ? "delete.lostAtLeast" : "delete.lost", { size })}
      </Notice>
      <TextField label={t(only ? "delete.typeName" : "delete.typeCount", { wanted })} value={typed}
        isMono onInput={setTyped} />
    </ChangeDialog>
  );
}
