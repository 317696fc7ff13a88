import { useState } from "preact/hooks";
import type { ApiError } from "../../api/error.ts";
import { t } from "../../app/i18n.ts";
import { go } from "../../app/router.ts";
import { Button } from "../../ui/button.tsx";
import { TextField } from "../../ui/field.tsx";
import { ErrorBox } from "../../ui/states.tsx";

/** Who may not list streams may be allowed to see one. */
export function OpenByName({ error, onRetry }: { error: ApiError; onRetry: () => void }) {
  const [name, setName] = useState("");
  return (
    <div class="centre">
      <ErrorBox title={t("list.error")} error={error} onRetry={onRetry} />
      <form class="panel stack door" onSubmit={(event) => {
        event.preventDefault();
        if (name.trim()) go({ page: "stream", name: name.trim() });
      }}>
        <h2>{t("denied.open")}</h2>
        <p class="muted">{t("denied.openText")}</p>
        <TextField label={t("create.name")} value={name} isMono onInput={setName} />
        <div><Button type="submit" look="primary" disabled={!name.trim()}>{t("open")}</Button></div>
      </form>
    </div>
  );
}
