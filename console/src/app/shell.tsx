import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Api } from "../api/operations.ts";
import { Icon, type IconName } from "../ui/icon.tsx";
import { Button } from "../ui/button.tsx";
import { isOnline, lastContact, nextTry, tryNow } from "./connection.ts";
import { type Key, span, t, timeOfDay } from "./i18n.ts";
import { useKeys } from "./keys.ts";
import { Link } from "./link.tsx";
import { serverNow } from "./now.ts";
import { TypedAhead, overlay, toggleOverlay } from "./overlay.ts";
import { preference } from "./preferences.ts";
import { go, route } from "./router.ts";
import type { Route } from "./routes.ts";
import { isUnattended, signOut } from "./session.ts";
import { isUpgraded } from "./upgrade.ts";
import "./shell.css";

interface Place {
  to: Route;
  label: Key;
  icon: IconName;
  /** Which pages it stands for. */
  pages: Route["page"][];
}

const PLACES: Place[] = [
  { to: { page: "wall", layout: "auto" }, label: "place.wall", icon: "wall", pages: ["wall"] },
  { to: { page: "streams" }, label: "place.streams", icon: "streams", pages: ["streams", "stream"] },
];
const SETTINGS: Place = { to: { page: "settings", part: "" }, label: "place.settings", icon: "settings", pages: ["settings"] };

const rail = preference<"narrow" | "open">("rail", "narrow");

export function Shell({ api, children }: { api: Api; children: ComponentChildren }) {
  const { page } = route.value;
  const isLocked = isUnattended.value;
  useKeys(isLocked ? {} : {
    "g w": () => go({ page: "wall", layout: "auto" }),
    "g s": () => go({ page: "streams" }),
    "g h": () => go({ page: "settings", part: "health" }),
    "Ctrl+k": () => toggleOverlay("palette"),
    "/": () => toggleOverlay("palette"),
    "?": () => toggleOverlay("keys"),
  }, { isEverywhere: true });
  return (
    <div class="shell">
      {!isLocked && <Rail page={page} />}
      {isLocked && isOnline.value ? <Locked /> : <Banner />}
      <main tabIndex={-1}>{children}</main>
      {!isLocked && <Over api={api} />}
    </div>
  );
}

function Rail({ page }: { page: Route["page"] }) {
  const isOpen = rail.value === "open";
  return (
    <nav class={`rail${isOpen ? " is-open" : ""}`} aria-label={t("places")}>
      <div class="mark"><img src="/console/icon.svg" alt="" /><span>Streamkeep</span></div>
      {PLACES.map((place) => <RailLink key={place.label} {...place} isCurrent={place.pages.includes(page)} />)}
      <button type="button" class="rail-item" title={t("palette.open")} aria-haspopup="dialog" onClick={() => toggleOverlay("palette")}>
        <Icon name="search" /><span>{t("palette.verb")}</span>
      </button>
      <RailLink {...SETTINGS} isCurrent={SETTINGS.pages.includes(page)} />
      <div class="grow" />
      <button type="button" class="rail-item only-wide" aria-expanded={isOpen} title={t(isOpen ? "rail.close" : "rail.open")}
        onClick={() => { rail.value = isOpen ? "narrow" : "open"; }}>
        <Icon name={isOpen ? "back" : "forward"} /><span>{t(isOpen ? "rail.close" : "rail.open")}</span>
      </button>
      <button type="button" class="rail-item" title={t("signOut")} onClick={() => signOut("signed-out")}>
        <Icon name="out" /><span>{t("signOut")}</span>
      </button>
    </nav>
  );
}

function RailLink({ to, label, icon, isCurrent }: Place & { isCurrent: boolean }) {
  return (
    <Link to={to} class="rail-item" isCurrent={isCurrent} title={t(label)}>
      <Icon name={icon} /><span>{t(label)}</span>
    </Link>
  );
}

const PALETTE = () => import("./palette/palette.tsx");
const KEY_HELP = () => import("./key-help.tsx");

/** What lies over the page. It is fetched before it is wanted, once the page has settled. */
function Over({ api }: { api: Api }) {
  const which = overlay.value;
  useEffect(() => {
    const timer = setTimeout(() => void PALETTE().catch(() => {}), 3000);
    return () => clearTimeout(timer);
  }, []);
  if (which === "palette") return <PaletteSlot api={api} />;
  return which === "keys" ? <KeyHelpSlot /> : null;
}

const close = () => { overlay.value = null; };

function PaletteSlot({ api }: { api: Api }) {
  const typed = useMemo(() => new TypedAhead(), []);
  const Palette = useLoaded(PALETTE);
  useEffect(() => () => void typed.take(), [typed]);
  return Palette ? <Palette api={api} typed={typed} onClose={close} /> : null;
}

function KeyHelpSlot() {
  const KeyHelp = useLoaded(KEY_HELP);
  return KeyHelp ? <KeyHelp onClose={close} /> : null;
}

/** What a chunk of the page has; nothing until it came. */
function useLoaded<Value>(load: () => Promise<{ default: Value }>): Value | undefined {
  const [loaded, setLoaded] = useState<{ value: Value }>();
  useEffect(() => { void load().then((module) => setLoaded({ value: module.default })).catch(close); }, []);
  return loaded?.value;
}

/** A reload is a new sign-in, so it is not forced. */
function Upgraded() {
  return (
    <div class="banner" role="status">
      <Icon name="info" />
      <span class="grow">{t("upgraded.text")}</span>
      <Button isSmall icon="retry" onClick={() => location.reload()}>{t("upgraded.reload")}</Button>
    </div>
  );
}

/** Nobody was there for long: what is shown goes on, the rest wants a sign-in. */
function Locked() {
  return (
    <div class="banner" role="status">
      <Icon name="lock" />
      <span class="grow">{t("locked.banner")}</span>
      <Button isSmall onClick={() => signOut("idle")}>{t("signin.title")}</Button>
    </div>
  );
}

function Banner() {
  if (isOnline.value) return isUpgraded.value ? <Upgraded /> : null;
  const seconds = Math.max(0, Math.ceil((nextTry.value - Date.now()) / 1000));
  const last = lastContact.value;
  void serverNow.value; // counts down
  return (
    <div class="banner" role="status">
      <Icon name="offline" />
      <span class="grow">
        {t("offline.banner")}{" "}
        {last !== null && t("offline.last", { time: timeOfDay(last), span: span(Date.now() - last) })}{" "}
        {seconds > 0 && t("offline.next", { n: seconds })}
      </span>
      <Button isSmall icon="retry" onClick={tryNow}>{t("retry")}</Button>
    </div>
  );
}
