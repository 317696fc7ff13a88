import type { StreamInfo } from "../../api/types.ts";
import { dateTime, retention, t } from "../../app/i18n.ts";
import type { Loaded } from "../../app/load.ts";
import { Button } from "../../ui/button.tsx";
import { Code } from "../../ui/code.tsx";
import { ErrorBox, Tag } from "../../ui/states.tsx";

interface DetailsProps {
  stream: StreamInfo;
  tags: Loaded<Record<string, string>>;
  onOpen: (what: "tags" | "retention") => void;
}

export function Details({ stream, tags, onOpen }: DetailsProps) {
  const entries = Object.entries(tags.value ?? {});
  return (
    <div class="stack">
      <dl class="facts-list">
        <dt>{t("details.kept")}</dt>
        <dd>
          {retention(stream.DataRetentionInHours)}{" "}
          <Button isSmall look="quiet" onClick={() => onOpen("retention")}>{t("change")}</Button>
        </dd>
        <dt>{t("details.created")}</dt><dd>{dateTime(stream.CreationTime * 1000)}</dd>
        <dt>{t("details.status")}</dt><dd>{stream.Status}</dd>
        {stream.DeviceName && <><dt>{t("create.device")}</dt><dd>{stream.DeviceName}</dd></>}
        {stream.MediaType && <><dt>{t("details.mediaType")}</dt><dd>{stream.MediaType}</dd></>}
        <dt>{t("details.version")}</dt><dd class="mono">{stream.Version}</dd>
        <dt>{t("details.key")}</dt><dd class="mono">{stream.KmsKeyId}</dd>
        <dt>{t("details.tags")}</dt>
        <dd>
          <span class="row wrap">
            {entries.map(([key, value]) => <Tag key={key}>{value ? `${key}=${value}` : key}</Tag>)}
            {tags.value && entries.length === 0 && <span class="muted">{t("tags.none")}</span>}
            <Button isSmall look="quiet" onClick={() => onOpen("tags")}>{t("change")}</Button>
          </span>
        </dd>
      </dl>
      {tags.error && <ErrorBox title={t("tags.error")} error={tags.error} onRetry={tags.reload} />}
      <Code text={stream.StreamARN} label="StreamARN" />
    </div>
  );
}
