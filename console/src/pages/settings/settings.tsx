import { LANGUAGES, type Key, chooseLanguage, dateTime, language, number, t } from "../../app/i18n.ts";
import { KeyList } from "../../app/key-list.tsx";
import { KEYS_EVERYWHERE, KEYS_OF } from "../../app/key-table.ts";
import { letterKeys } from "../../app/keys.ts";
import { Link } from "../../app/link.tsx";
import { serverNow } from "../../app/now.ts";
import { type Session, apiBase, clock, signOut } from "../../app/session.ts";
import { type ThemeChoice, themeChoice } from "../../app/theme.ts";
import { Button } from "../../ui/button.tsx";
import { Check, SelectField } from "../../ui/field.tsx";
import { Icon } from "../../ui/icon.tsx";
import "./settings.css";

const PAGES: readonly (readonly [keyof typeof KEYS_OF | null, Key])[] = [
  [null, "keys.everywhere"], ["streams", "place.streams"], ["stream", "keys.stream"], ["wall", "place.wall"],
];

export default function Settings({ session }: { session: Session }) {
  return (
    <div class="page settings">
      <h1>{t("place.settings")}</h1>
      <section class="panel">
        <h2>{t("place.health")}</h2>
        <p class="muted">{t("settings.healthText")}</p>
        <div><Link class="button" to={{ page: "settings", part: "health" }}><Icon name="info" /><span>{t("place.health")}</span></Link></div>
      </section>
      <section class="panel">
        <h2>{t("settings.appearance")}</h2>
        <SelectField label={t("settings.language")} value={language.value} choices={LANGUAGES}
          onChange={(value) => void chooseLanguage(value)} />
        <SelectField<ThemeChoice> label={t("settings.theme")} value={themeChoice.value}
          choices={[
            { value: "system", label: t("theme.system") },
            { value: "light", label: t("theme.light") },
            { value: "dark", label: t("theme.dark") },
          ]}
          onChange={(value) => { themeChoice.value = value; }} />
      </section>
      <section class="panel">
        <h2>{t("settings.you")}</h2>
        <dl class="facts">
          <dt>{t("signin.key")}</dt><dd class="mono">{session.accessKeyId}</dd>
          <dt>{t("settings.server")}</dt><dd class="mono">{apiBase}</dd>
          <dt>{t("settings.clock")}</dt>
          <dd>
            {dateTime(serverNow.value)}{" "}
            <span class="muted">
              ({t("settings.offset", { n: number(clock.offsetMs / 1000, 3), e: number(clock.errorMs) })})
            </span>
          </dd>
          <dt>{t("settings.api")}</dt><dd><a href={`${apiBase}/openapi.json`}>/openapi.json</a></dd>
        </dl>
        <div><Button icon="out" onClick={() => signOut("signed-out")}>{t("signOut")}</Button></div>
      </section>
      <section class="panel">
        <h2>{t("settings.keys")}</h2>
        <Check label={t("settings.letterKeys")} checked={letterKeys.value === "on"}
          onChange={(isOn) => { letterKeys.value = isOn ? "on" : "off"; }} />
        {PAGES.map(([page, label]) => (
          <>
            <h3>{t(label)}</h3>
            <KeyList rows={(page && KEYS_OF[page]) ?? KEYS_EVERYWHERE} />
          </>
        ))}
      </section>
    </div>
  );
}
