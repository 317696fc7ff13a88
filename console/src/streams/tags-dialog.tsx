import { useState } from "preact/hooks";
import type { Api } from "../api/operations.ts";
import type { StreamInfo } from "../api/types.ts";
import { useLoad } from "../app/load.ts";
import { t, tn } from "../app/i18n.ts";
import { Button } from "../ui/button.tsx";
import { TextField } from "../ui/field.tsx";
import { ErrorBox, Skeleton } from "../ui/states.tsx";
import { ChangeDialog } from "./change-dialog.tsx";
import { TagCache } from "./tag-cache.ts";
import { changeTags, forEachStream, tagChange } from "./work.ts";

interface Props {
  api: Api;
  streams: StreamInfo[];
  onDone: () => void;
  onClose: () => void;
}

interface Row {
  id: number;
  key: string;
  value: string;
}

export function TagsDialog({ onDone, ...rest }: Props) {
  const done = () => {
    TagCache.of(rest.api).forget(rest.streams.map(({ StreamName }) => StreamName));
    onDone();
  };
  const props = { ...rest, onDone: done };
  return props.streams.length === 1 ? <TagsOfOne {...props} /> : <TagsOfMany {...props} />;
}

let lastId = 0;
const row = (key = "", value = ""): Row => ({ id: ++lastId, key, value });

function TagsOfOne({ api, streams, onDone, onClose }: Props) {
  const name = streams[0]?.StreamName ?? "";
  const loaded = useLoad((signal) => api.listTags(name, signal), [name]);
  const [edited, setRows] = useState<Row[]>();
  const before = loaded.value;
  const rows = edited ?? Object.entries(before ?? {}).map(([key, value]) => row(key, value));
  // The first edit keeps the rows that are on the screen.
  const edit = (change: (rows: Row[]) => Row[]) => setRows(change(rows));
  const after = Object.fromEntries(rows.filter(({ key }) => key).map(({ key, value }) => [key, value]));
  const change = tagChange(before ?? {}, after);
  const isChanged = Object.keys(change.set).length + change.remove.length > 0;
  return (
    <ChangeDialog title={t("tags.title", { name })} verb={t("save")} isReady={before !== undefined && isChanged}
      count={1} onDone={onDone} onClose={onClose}
      change={() => forEachStream(streams, () => changeTags(api, name, change))}>
      {loaded.error && <ErrorBox title={t("tags.error")} error={loaded.error} onRetry={loaded.reload} />}
      {!before && !loaded.error && <Skeleton height="32px" />}
      {before && (
        <div class="tag-rows">
          {rows.length === 0 && <p class="muted">{t("tags.none")}</p>}
          {rows.map(({ id, key, value }) => (
            <div class="tag-row" key={id}>
              <TextField label={t("tags.key")} value={key} maxLength={128}
                onInput={(text) => edit((all) => all.map((one) => (one.id === id ? { ...one, key: text } : one)))} />
              <TextField label={t("tags.value")} value={value} maxLength={256}
                onInput={(text) => edit((all) => all.map((one) => (one.id === id ? { ...one, value: text } : one)))} />
              <Button look="quiet" icon="trash" label={t("tags.remove")}
                onClick={() => edit((all) => all.filter((one) => one.id !== id))} />
            </div>
          ))}
          <div><Button icon="plus" onClick={() => edit((all) => [...all, row()])}>{t("tags.add")}</Button></div>
        </div>
      )}
    </ChangeDialog>
  );
}

function TagsOfMany({ api, streams, onDone, onClose }: Props) {
  const [added, setAdded] = useState({ key: "", value: "" });
  const [removed, setRemoved] = useState("");
  const change = {
    set: added.key ? { [added.key]: added.value } : {},
    remove: removed ? [removed] : [],
  };
  return (
    <ChangeDialog title={tn("tags.titleMany", streams.length)} verb={t("save")}
      isReady={Boolean(added.key || removed)} count={streams.length} onDone={onDone} onClose={onClose}
      change={(progress) => forEachStream(streams, (stream) => changeTags(api, stream.StreamName, change), progress)}>
      <div class="hours">
        <TextField label={t("tags.addKey")} value={added.key} maxLength={128}
          onInput={(key) => setAdded({ ...added, key })} />
        <TextField label={t("tags.value")} value={added.value} maxLength={256}
          onInput={(value) => setAdded({ ...added, value })} />
      </div>
      <TextField label={t("tags.removeKey")} value={removed} onInput={setRemoved} hint={t("tags.removeHint")} />
    </ChangeDialog>
  );
}
