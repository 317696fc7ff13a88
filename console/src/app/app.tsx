import { Fragment } from "preact";
import { useEffect } from "preact/hooks";
import { Streams } from "../pages/streams/streams.tsx";
import { SignIn } from "../pages/signin/signin.tsx";
import { Empty } from "../ui/states.tsx";
import { language, t } from "./i18n.ts";
import { later } from "./later.tsx";
import { Link } from "./link.tsx";
import { route } from "./router.ts";
import { type Session, session } from "./session.ts";
import { Shell } from "./shell.tsx";

// Loaded when they are gone to.
const StreamPage = later(() => import("../pages/stream/stream.tsx"));
const WallPage = later(() => import("../pages/wall/wall-page.tsx"));
const HealthPage = later(() => import("../pages/health/health-page.tsx"));
const Settings = later(() => import("../pages/settings/settings.tsx"));

export function App() {
  const who = session.value;
  // Formats are made anew in another language.
  return <Fragment key={language.value}>{who ? <Shell api={who.api}><Routed session={who} /></Shell> : <SignIn />}</Fragment>;
}

function Routed({ session }: { session: Session }) {
  const to = route.value;
  useEffect(() => {
    document.title = to.page === "stream" ? `${to.name} – Streamkeep` : "Streamkeep";
  }, [to]);
  switch (to.page) {
    case "streams": return <Streams api={session.api} />;
    case "stream": return <StreamPage key={to.name} api={session.api} name={to.name} />;
    case "wall": return <WallPage api={session.api} layout={to.layout} />;
    case "settings":
      return to.part === "health" ? <HealthPage api={session.api} /> : <Settings session={session} />;
    default:
      return (
        <Empty icon="search" title={t("unknown.title")}>
          <p>{t("unknown.text")}</p>
          <Link class="button" to={{ page: "streams" }}>{t("place.streams")}</Link>
        </Empty>
      );
  }
}
