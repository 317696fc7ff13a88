import { computed, effect, signal } from "@preact/signals";
import { preference } from "./preferences.ts";

export type ThemeChoice = "system" | "light" | "dark";

export const themeChoice = preference<ThemeChoice>("theme", "system");

const dark = matchMedia("(prefers-color-scheme: dark)");
const isSystemDark = signal(dark.matches);
dark.addEventListener("change", () => { isSystemDark.value = dark.matches; });

/** What is on the screen: canvases draw anew when it changes. */
export const theme = computed<"light" | "dark">(() => {
  if (themeChoice.value !== "system") return themeChoice.value;
  return isSystemDark.value ? "dark" : "light";
});

export function applyTheme(): void {
  effect(() => {
    const { dataset } = document.documentElement;
    if (themeChoice.value === "system") delete dataset["theme"];
    else dataset["theme"] = themeChoice.value;
  });
}
