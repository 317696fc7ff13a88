// What is shown where there is nothing, not yet, or an error.

import type { ComponentChildren } from "preact";
import { copy, useCopied } from "./copy.ts";
import { t } from "../app/i18n.ts";
import type { ApiError } from "../api/error.ts";
import { Button } from "./button.tsx";
import { Icon, type IconName } from "./icon.tsx";

export function Notice({ kind, children }: { kind?: "warn" | "bad" | "ok"; children: ComponentChildren }) {
  return (
    <div class={`notice ${kind ?? ""}`} role={kind === "bad" ? "alert" : "status"}>
      <Icon name={kind === "warn" || kind === "bad" ? "warning" : kind === "ok" ? "check" : "info"} />
      <div class="grow">{children}</div>
    </div>
  );
}

export function Tag({ children, title }: { children: ComponentChildren; title?: string }) {
  return <span class="tag" title={title}><span>{children}</span></span>;
}

export function Skeleton({ width, height }: { width?: string; height: string }) {
  return <div class="skeleton" aria-hidden="true" style={{ inlineSize: width ?? "100%", blockSize: height }} />;
}

interface EmptyProps {
  icon: IconName;
  title: string;
  children?: ComponentChildren;
}

export function Empty({ icon, title, children }: EmptyProps) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

interface ErrorBoxProps {
  /** What failed, as a sentence. */
  title: string;
  error: ApiError;
  onRetry?: (() => void) | undefined;
}

/** Stays until the cause is gone. */
export function ErrorBox({ title, error, onRetry }: ErrorBoxProps) {
  const [isCopied, setCopied] = useCopied();
  return (
    <div class="error-box" role="alert">
      <h2>{error.isDenied ? t("error.denied") : title}</h2>
      <p>{error.isOffline && error.exception === "NetworkError" ? t("error.offline") : error.message}</p>
      <p class="facts">
        {error.operation} · {error.exception}
        {error.requestId && <> · {t("error.requestId")} <span class="mono small">{error.requestId}</span></>}
      </p>
      <div class="row wrap">
        {onRetry && <Button icon="retry" onClick={onRetry}>{t("retry")}</Button>}
        <Button icon={isCopied ? "check" : "copy"}
          onClick={() => void copy(error.details).then(setCopied)}>
          {isCopied ? t("copied") : t("copyDetails")}
        </Button>
      </div>
    </div>
  );
}
