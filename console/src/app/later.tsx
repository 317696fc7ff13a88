import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Button } from "../ui/button.tsx";
import { Skeleton } from "../ui/states.tsx";
import { reconnections } from "./connection.ts";
import { t } from "./i18n.ts";
import { isUpgraded } from "./upgrade.ts";

/** A component that is loaded when it is first drawn. One that does not come says so, and is tried again. */
export function later<Props extends object>(load: () => Promise<{ default: ComponentType<Props> }>): ComponentType<Props> {
  let loaded: ComponentType<Props> | undefined;
  return function Later(props: Props) {
    const [state, setState] = useState<"loading" | "loaded" | "failed">("loading");
    const [tries, setTries] = useState(0);
    const back = reconnections.value;
    useEffect(() => {
      if (loaded) return;
      void load().then((module) => {
        loaded = module.default;
        setState("loaded");
      }).catch(() => setState("failed"));
    }, [tries, back]);
    const Component = loaded;
    if (Component) return <Component {...props} />;
    if (state === "failed") return <NotLoaded onRetry={() => setTries(tries + 1)} />;
    return <div class="page"><Skeleton height="32px" /></div>;
  };
}

function NotLoaded({ onRetry }: { onRetry: () => void }) {
  return (
    <div class="centre">
      <div class="error-box" role="alert">
        <h2>{t("later.failed")}</h2>
        <p>{t(isUpgraded.value ? "upgraded.text" : "error.offline")}</p>
        <div class="row wrap">
          {!isUpgraded.value && <Button icon="retry" onClick={onRetry}>{t("retry")}</Button>}
          <Button icon={isUpgraded.value ? "retry" : undefined} onClick={() => location.reload()}>{t("upgraded.reload")}</Button>
        </div>
      </div>
    </div>
  );
}
