import { useState } from "preact/hooks";
import type { Api } from "../api/operations.ts";
import type { StreamInfo } from "../api/types.ts";
import { retention, t, tn } from "../app/i18n.ts";
import { SelectField, TextField } from "../ui/field.tsx";
import { Notice } from "../ui/states.tsx";
import { ChangeDialog } from "./change-dialog.tsx";
import { forEachStream, withVersion } from "./work.ts";

/** The longest that the wire can say. */
const HOURS_MAX = 87_600;

interface HoursFieldProps {
  hours: number | null;
  onChange: (hours: number | null) => void;
}

/** A number with its unit; null while it is none. */
export function HoursField({ hours, onChange }: HoursFieldProps) {
  const [unit, setUnit] = useState<"h" | "d">(hours !== null && hours > 0 && hours % 24 === 0 ? "d" : "h");
  const [text, setText] = useState(hours === null ? "" : String(unit === "d" ? hours / 24 : hours));
  const say = (nextText: string, nextUnit: "h" | "d") => {
    const value = Number(nextText);
    const found = value * (nextUnit === "d" ? 24 : 1);
    onChange(/^\d+$/.test(nextText) && found <= HOURS_MAX ? found : null);
  };
  return (
    <div class="hours">
      <TextField label={t("retention.keep")} type="number" min={0} value={text} onInput={(value) => {
        setText(value);
        say(value, unit);
      }} />
      <SelectField label={t("retention.unit")} value={unit}
        choices={[{ value: "h", label: t("retention.hours") }, { value: "d", label: t("retention.days") }]}
        onChange={(value) => {
          setUnit(value);
          say(text, value);
        }} />
    </div>
  );
}

interface Props {
  api: Api;
  streams: StreamInfo[];
  onDone: () => void;
  onClose: () => void;
}

export function RetentionDialog({ api, streams, onDone, onClose }: Props) {
  const only = streams.length === 1 ? streams[0] : undefined;
  const [hours, setHours] = useState<number | null>(only?.DataRetentionInHours ?? null);
  const isShorter = hours !== null && streams.some((stream) => stream.DataRetentionInHours > hours);
  const differ = hours !== null && streams.some((stream) => stream.DataRetentionInHours !== hours);
  return (
    <ChangeDialog
      title={only ? t("retention.title", { name: only.StreamName }) : tn("retention.titleMany", streams.length)}
      verb={t("save")}
      isReady={differ}
      count={streams.length}
      change={(progress) => forEachStream(
        streams,
        (stream) => withVersion(api, stream, (now) => api.updateDataRetention(now, hours ?? now.DataRetentionInHours)),
        progress,
      )}
      onDone={onDone}
      onClose={onClose}
    >
      <HoursField hours={hours} onChange={setHours} />
      {hours === 0 && <p class="muted">{t("retention.zero")}</p>}
      {isShorter && <Notice kind="warn">{t("retention.shorter", { keep: retention(hours) })}</Notice>}
    </ChangeDialog>
  );
}
