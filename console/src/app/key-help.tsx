import { Dialog } from "../ui/dialog.tsx";
import { t } from "./i18n.ts";
import { KeyList } from "./key-list.tsx";
import { KEYS_EVERYWHERE, KEYS_OF } from "./key-table.ts";
import { route } from "./router.ts";

/** The keys of this page. */
export default function KeyHelp({ onClose }: { onClose: () => void }) {
  const own = KEYS_OF[route.value.page];
  return (
    <Dialog title={t("keys.title")} isWide onClose={onClose}>
      {own && <section class="stack"><h3>{t("keys.here")}</h3><KeyList rows={own} /></section>}
      <section class="stack"><h3>{t("keys.everywhere")}</h3><KeyList rows={KEYS_EVERYWHERE} /></section>
      <p class="muted small">{t("keys.note")}</p>
    </Dialog>
  );
}
