import { useState } from "preact/hooks";
import { asApiError } from "../api/error.ts";
import type { Api } from "../api/operations.ts";
import { t } from "../app/i18n.ts";
import { TextField } from "../ui/field.tsx";
import { ChangeDialog } from "./change-dialog.tsx";
import { HoursField } from "./retention-dialog.tsx";

const NAME = /^[a-zA-Z0-9_.-]{1,256}$/;

interface Props {
  api: Api;
  onDone: (name: string) => void;
  onClose: () => void;
}

export function CreateDialog({ api, onDone, onClose }: Props) {
  const [name, setName] = useState("");
  const [device, setDevice] = useState("");
  const [hours, setHours] = useState<number | null>(24);
  const [site, setSite] = useState("");
  const isWrong = name !== "" && !NAME.test(name);
  return (
    <ChangeDialog title={t("create.title")} verb={t("create.verb")} isReady={NAME.test(name) && hours !== null}
      count={1} onDone={() => onDone(name)} onClose={onClose}
      change={async () => {
        try {
          await api.createStream({
            StreamName: name,
            DataRetentionInHours: hours ?? 0,
            ...(device ? { DeviceName: device } : {}),
            ...(site ? { Tags: { site } } : {}),
          });
          return [];
        } catch (error) {
          return [{ name, error: asApiError(error) }];
        }
      }}>
      <TextField label={t("create.name")} value={name} isMono maxLength={256} onInput={setName}
        hint={t("create.nameHint")} fault={isWrong ? t("create.nameHint") : undefined} />
      <HoursField hours={hours} onChange={setHours} />
      {hours === 0 && <p class="muted">{t("retention.zero")}</p>}
      <TextField label={t("create.site")} value={site} maxLength={256} onInput={setSite} hint={t("create.siteHint")} />
      <TextField label={t("create.device")} value={device} maxLength={128} onInput={setDevice} />
    </ChangeDialog>
  );
}
