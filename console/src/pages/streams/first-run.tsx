import type { Api } from "../../api/operations.ts";
import { t } from "../../app/i18n.ts";
import { demoLine, environmentLines, kvssinkLines, putLine } from "../../streams/lines.ts";
import { session } from "../../app/session.ts";
import { Button } from "../../ui/button.tsx";
import { Code } from "../../ui/code.tsx";

/** Nothing is stored yet: ways to the first picture. The page turns into the stream by itself. */
export function FirstRun({ api, onCreate }: { api: Api; onCreate: () => void }) {
  const endpoint = api.client.base;
  return (
    <>
      <div class="doors-intro">
        <h1>{t("first.title")}</h1>
        <p class="muted">{t("first.text")}</p>
      </div>
      <div class="doors">
        <section class="door panel">
          <h2>{t("first.demo")}</h2>
          <p class="muted">{t("first.demoText")}</p>
          <Code text={demoLine()} label={t("first.demo")} />
        </section>
        <section class="door panel">
          <h2>{t("first.producer")}</h2>
          <p class="muted">{t("first.producerText")}</p>
          <Code text={environmentLines(endpoint, session.value?.accessKeyId ?? "…", api.client.region)} label={t("first.environment")} />
          <Code text={kvssinkLines(endpoint, "cam")} label={t("first.producer")} />
        </section>
        <section class="door panel">
          <h2>{t("first.file")}</h2>
          <p class="muted">{t("first.fileText")}</p>
          <Code text={putLine("cam", true)} label={t("first.file")} />
          <p class="muted">{t("first.orCreate")}</p>
          <div><Button icon="plus" onClick={onCreate}>{t("create.title")}</Button></div>
        </section>
      </div>
    </>
  );
}
