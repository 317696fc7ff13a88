import { render } from "preact";
import { App } from "./app/app.tsx";
import { loadLanguage } from "./app/i18n.ts";
import { preloadAfterSignIn } from "./app/preload.ts";
import { applyTheme } from "./app/theme.ts";
import { watchForUpgrade } from "./app/upgrade.ts";
import "./ui/tokens.css";
import "./ui/base.css";
import "./ui/ui.css";

const root = document.getElementById("app");
if (root) {
  applyTheme();
  preloadAfterSignIn();
  watchForUpgrade();
  void loadLanguage().then(() => render(<App />, root));
}
