import { useEffect, useRef, useState } from "preact/hooks";
import { type ApiError, asApiError } from "../../api/error.ts";
import { LANGUAGES, type Key, chooseLanguage, dateTime, language, span, t } from "../../app/i18n.ts";
import {
  type Ended, SKEW_WORTH_TELLING_MS, apiBase, clock, clockOffset, ended, measureClock, signIn, signInWithToken,
  takeSignInToken,
} from "../../app/session.ts";
import { themeChoice, type ThemeChoice } from "../../app/theme.ts";
import { Button } from "../../ui/button.tsx";
import { Code } from "../../ui/code.tsx";
import { SelectField, TextField } from "../../ui/field.tsx";
import { Notice } from "../../ui/states.tsx";
import "./signin.css";

const ENDED: Record<Ended, Key> = {
  "signed-out": "signin.ended.out",
  idle: "signin.ended.idle",
  "too-long": "signin.ended.tooLong",
  refused: "signin.ended.refused",
};

export function SignIn() {
  return (
    <div class="signin">
      <main class="signin-box">
        <header>
          <img src="/console/icon.svg" alt="" />
          <h1>Streamkeep</h1>
        </header>
        {isSecureContext && crypto.subtle ? <Form /> : <NotSecure />}
        <footer class="signin-foot">
          <SelectField isBare label={t("settings.language")} value={language.value} choices={LANGUAGES}
            onChange={(value) => void chooseLanguage(value)} />
          <SelectField<ThemeChoice> isBare label={t("settings.theme")} value={themeChoice.value}
            choices={[
              { value: "system", label: t("theme.system") },
              { value: "light", label: t("theme.light") },
              { value: "dark", label: t("theme.dark") },
            ]}
            onChange={(value) => { themeChoice.value = value; }} />
        </footer>
      </main>
    </div>
  );
}

function Form() {
  const form = useRef<HTMLFormElement>(null);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const [isLink, setLink] = useState(false);

  const attempt = async (how: () => Promise<void>) => {
    setBusy(true);
    setError(undefined);
    try {
      await how();
    } catch (caught) {
      setError(asApiError(caught, "SignIn"));
      setBusy(false);
    }
  };

  useEffect(() => {
    const token = takeSignInToken();
    if (token) {
      setLink(true);
      void attempt(() => signInWithToken(token));
    } else {
      void measureClock().catch(() => {});
    }
  }, []);

  const submit = () => {
    const data = new FormData(form.current ?? undefined);
    const text = (name: string) => String(data.get(name) ?? "").trim();
    const secret = text("secret");
    // The field keeps nothing: the next try types it anew.
    const field = form.current?.elements.namedItem("secret");
    if (field instanceof HTMLInputElement) field.value = "";
    setLink(false);
    void attempt(() => signIn(text("key"), secret, text("token")));
  };

  const offset = clockOffset.value;
  return (
    <>
      {ended.value && !error && <Notice>{t(ENDED[ended.value])}</Notice>}
      {error && <Notice kind="bad">{words(error, isLink)}</Notice>}
      {!error && offset !== null && Math.abs(offset) > SKEW_WORTH_TELLING_MS && (
        <Notice kind="warn">{t("signin.skew", clockWords())}</Notice>
      )}
      <form ref={form} class="panel" onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}>
        <h2>{t("signin.title")}</h2>
        <TextField name="key" label={t("signin.key")} required isMono autoComplete="username" disabled={isBusy} />
        <TextField name="secret" label={t("signin.secret")} type="password" required isMono
          autoComplete="current-password" disabled={isBusy} />
        <details>
          <summary>{t("signin.more")}</summary>
          <TextField name="token" label={t("signin.token")} isMono disabled={isBusy} />
        </details>
        <Button type="submit" look="primary" disabled={isBusy}>
          {isBusy ? t(isLink ? "signin.busyLink" : "signin.busy") : t("signin.go")}
        </Button>
      </form>
      <p class="small muted">{t("signin.where")}</p>
      <p class="small muted">{t("signin.memory")}</p>
    </>
  );
}

function clockWords() {
  return {
    here: dateTime(Date.now()),
    server: dateTime(clock.now()),
    span: span(Math.abs(clock.offsetMs)),
  };
}

/** Each cause has its own cure, so its own words. */
function words(error: ApiError, isLink: boolean): string {
  if (error.isOffline && error.exception === "NetworkError") {
    return t("signin.error.offline", { host: new URL(apiBase).host });
  }
  if (isLink && error.operation === "SignInLink") {
    if (error.status === 404) return t("signin.error.noLinks");
    return t(/own machine/.test(error.message) ? "signin.error.linkElsewhere" : "signin.error.link");
  }
  if (error.isClockSkew) return t("signin.error.clock", clockWords());
  if (error.exception === "ExpiredTokenException") return t("signin.error.expired");
  if (error.exception === "UnrecognizedClientException") return t("signin.error.key");
  if (error.exception === "InvalidSignatureException") return t("signin.error.secret");
  return `${t("signin.error.other")} ${error.exception}: ${error.message}` +
    (error.requestId ? ` (${error.requestId})` : "");
}

function NotSecure() {
  return (
    <div class="panel signin-plain">
      <Notice kind="bad">{t("signin.insecure.title")}</Notice>
      <div class="stack signin-text">
        <p>{t("signin.insecure.text", { origin: location.origin })}</p>
        <p>{t("signin.insecure.local")}</p>
        <Code text={`streamkeep serve --tls-listen 0.0.0.0:8443`} />
      </div>
    </div>
  );
}
